#include "lifecycle/bootstrap_build.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "async/stage_directory.hpp"
#include "base/sha256.hpp"
#include "base/shell_quote.hpp"
#include "base/text.hpp"
#include "lifecycle/base_image.hpp"
#include "lifecycle/container_build.hpp"
#include "lifecycle/image_build.hpp"
#include "model/yaml_writer.hpp"
#include "ov/vm_defaults.hpp"
#include "plan/project_definitions.hpp"
#include "plan/text_template.hpp"
#include "state/async_lock.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

const char* mkfs_of(const std::string& rootfs) {
    if (rootfs == "ext4") return "mkfs.ext4 -F";
    if (rootfs == "xfs") return "mkfs.xfs -f";
    if (rootfs == "btrfs") return "mkfs.btrfs -f";
    throw Error(Errc::spec_invalid, fmt::format("source.rootfs: expected ext4, xfs or btrfs, got '{}'", rootfs));
}

std::string rootfs_of(const VmSpec& spec) {
    return spec.source.rootfs.empty() ? "ext4" : spec.source.rootfs;
}

/// The builder of kind bootstrap that the source names.
YamlPtr builder_of(const Project& project, const VmSpec& spec) {
    const auto found = project.builders.find(spec.source.builder);
    if (found != project.builders.end() && yaml_entry_text(found->second, "kind") == "bootstrap") return found->second;
    std::vector<std::string> names;
    for (const auto& [name, body] : project.builders)
        if (yaml_entry_text(body, "kind") == "bootstrap") names.push_back(name);
    throw Error(Errc::not_found,
                fmt::format("vm.{}.source.builder: no builder {} of kind bootstrap in this project; there are: {}. It is defined "
                            "under `builder:`, commonly in build.yml",
                            spec.name, spec.source.builder, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

YamlPtr with_entry(const YamlPtr& map, const std::string& key, YamlPtr value) {
    std::vector<std::pair<std::string, YamlPtr>> entries;
    if (map)
        for (const YamlEntry& entry : map->entries)
            if (entry.key != key) entries.emplace_back(entry.key, entry.value);
    entries.emplace_back(key, std::move(value));
    return yaml_map(std::move(entries));
}

/// What the builder's section of the distribution installs, and the source on top.
YamlPtr packages_of(const YamlPtr& section, const VmSpec& spec) {
    std::vector<std::string> packages;
    if (const YamlPtr base = yaml_entry(section, "base_package"))
        for (const YamlPtr& item : base->items) packages.push_back(item->text);
    packages.insert(packages.end(), spec.source.package.begin(), spec.source.package.end());
    constexpr std::string_view more = "+-._:=~/@";
    for (const std::string& package : packages) {
        const bool fits = !package.empty() && package[0] != '-' && std::all_of(package.begin(), package.end(), [&](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != more.npos;
        });
        if (!fits) throw Error(Errc::spec_invalid, fmt::format("vm.{}: '{}' is no name of a package", spec.name, package));
    }
    return yaml_list(packages);
}

/// Text of pacman.conf for the repositories that the distribution adds.
std::string extra_pacman_conf(const YamlPtr& section) {
    std::string text;
    const YamlPtr repositories = yaml_entry(section, "extra_repo");
    if (!repositories) return text;
    for (const YamlPtr& one : repositories->items) {
        const std::string trust = yaml_entry_text(one, "siglevel");
        text += fmt::format("[{}]\nServer = {}\n", yaml_entry_text(one, "name"), yaml_entry_text(one, "server"));
        if (!trust.empty()) text += fmt::format("SigLevel = {}\n", trust);
    }
    return text;
}

std::string rootfs_script(const Project& project, const VmSpec& spec) {
    const vm::Source& source = spec.source;
    const YamlPtr builder = builder_of(project, spec);
    const std::string artifact = yaml_entry_text(builder, "output_artifact");
    if (!artifact.empty() && artifact != "/out/rootfs.tar.gz")
        throw Error(Errc::spec_invalid,
                    fmt::format("builder.{}.output_artifact: expected /out/rootfs.tar.gz, got '{}'", source.builder, artifact));
    const YamlPtr install = yaml_entry(yaml_entry(builder, "phase"), "install");
    const std::string text = yaml_entry_text(install, "container");
    if (text.empty())
        throw Error(Errc::spec_invalid, fmt::format("builder.{}: phase.install.container is missing: the script that makes "
                                                    "/out/rootfs.tar.gz",
                                                    source.builder));
    YamlPtr section = inherited_part(project.distros, source.distro, source.builder);
    if (!section)
        throw Error(Errc::not_found, fmt::format("vm.{}.source.distro: distro.{} has no `{}:` section in this project's "
                                                 "vocabulary (build.yml)",
                                                 spec.name, source.distro, source.builder));
    if (!source.bootstrap_variant.empty()) section = with_entry(section, "variant", yaml_text(source.bootstrap_variant));
    const YamlPtr data = yaml_map({{"Distro", yaml_map({{source.builder, section}})},
                                   {"Packages", packages_of(section, spec)},
                                   {"ExtraPacmanConf", yaml_text(extra_pacman_conf(section))},
                                   {"Arch", yaml_text(source.bootstrap_arch)}});
    return fill_template(fmt::format("builder.{}.phase.install.container", source.builder), text, data);
}

/// fstab, boot loader, initramfs, as the distribution's templates say.
std::string disk_body(const Project& project, const VmSpec& spec) {
    const YamlPtr loader = inherited_part(project.distros, spec.source.distro, "bootloader");
    if (!loader)
        throw Error(Errc::not_found, fmt::format("vm.{}.source.distro: distro.{} has no `bootloader:` in this project's "
                                                 "vocabulary (build.yml), so no disk of it boots",
                                                 spec.name, spec.source.distro));
    const std::string user = vm::login_user(spec);
    const YamlPtr data =
        yaml_map({{"Mnt", yaml_text("/mnt")}, {"Rootfs", yaml_text(rootfs_of(spec))}, {"SSHUser", yaml_text(user)}});
    std::string body;
    if (!spec.source.kernel_args.empty()) {
        const std::string line =
            fmt::format("GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX \"{}", shell_quote(spec.source.kernel_args));
        body += fmt::format("mkdir -p /mnt/etc/default\nprintf '%s\\n' {} >> /mnt/etc/default/grub\n", shell_quote(line));
    }
    for (const char* key : {"fstab_template", "install_template", "initramfs_template"}) {
        const std::string text = yaml_entry_text(loader, key);
        body += fill_template(fmt::format("distro.{}.bootloader.{}", spec.source.distro, key), text, data);
        if (!body.empty() && body.back() != '\n') body += '\n';
    }
    return body;
}

std::string probe_script(const std::string& rootfs) {
    const std::string mkfs = mkfs_of(rootfs);
    return fmt::format(
        "for program in losetup parted partprobe blkid tar truncate qemu-img mkfs.fat {}; do\n"
        "  command -v $program > /dev/null || echo \"the builder's image has no $program\"\n"
        "done\n"
        "[ -e /dev/loop-control ] || echo 'there are no loop devices (no /dev/loop-control)'\n"
        // A mount asks the kernel for the module, from a container too.
        "for kind in vfat {}; do\n"
        "  mount -t $kind /dev/null /mnt 2> /dev/null\n"
        "  grep -qw $kind /proc/filesystems || echo \"the kernel $(uname -r) has no file system $kind (not in /proc/filesystems, "
        "and no module came when one was mounted)\"\n"
        "done\n"
        "true\n",
        mkfs.substr(0, mkfs.find(' ')), rootfs);
}

/// One container; `what` it was for, in the error.
asio::awaitable<std::string> run_in(std::vector<std::string> argv, std::string script, bool console, std::string what,
                                    Deadline deadline) {
    const ProcessOutput output = co_await run_podman(std::move(argv), std::move(script), console, deadline);
    if (output.status != 0)
        throw Error(Errc::step_failed, fmt::format("{} failed (exit status {}): {}{}", what, output.status,
                                                   last_lines(output.err.empty() ? output.out : output.err, 12),
                                                   console ? "" : "\n--console shows all of it"));
    co_return output.out;
}

/// The builder's image: one of the project is built; any other is what `local_image` takes.
asio::awaitable<std::string> builder_image(VmContext& context, VmSpec spec, bool root, bool console, Deadline deadline) {
    const std::string& image = spec.source.builder_image;
    if (image.empty())
        throw Error(Errc::spec_invalid, fmt::format("vm.{}.source.builder_image: the builder {} runs in an image: name one",
                                                    spec.name, spec.source.builder));
    // Only root's builds are in the storage that privileged containers run from.
    if (!root || !context.project->images.contains(image)) {
        const std::string any_transport;
        const std::string found = co_await local_image(image, any_transport, root, deadline);
        co_return found;
    }
    ImageWorkshop workshop{context.runtime, context.project,
                           std::make_shared<Builders>(context.runtime, context.paths.home + "/.cache/ov/builders"),
                           context.paths.home + "/.cache/ov/images"};
    workshop.console = console;
    const EmitEvent events = [&context](const EventBody& body) {
        if (const auto* note = std::get_if<event::Note>(&body)) context.say(note->text);
    };
    const BuiltImage built = co_await build_image(std::move(workshop), image, deadline, events);
    co_return built.ref;
}

}  // namespace

BootstrapScripts bootstrap_scripts(const Project& project, const VmSpec& spec) {
    const auto size = vm::parse_size(spec.disk_size, vm::SizeUnit::byte);
    if (!size)
        throw Error(Errc::spec_invalid,
                    fmt::format("vm.{}.disk_size: a bootstrapped disk needs a size, for example 10G", spec.name));
    const std::string rootfs = rootfs_of(spec);
    return {probe_script(rootfs), rootfs_script(project, spec), bootstrap_disk_script(*size, rootfs, disk_body(project, spec))};
}

std::string bootstrap_disk_script(std::uint64_t disk_bytes, const std::string& rootfs, const std::string& body) {
    const char* mkfs = mkfs_of(rootfs);
    return fmt::format(
        "set -euo pipefail\n"
        "mkdir -p /out\n"
        "RAW=/out/disk.raw\n"
        "truncate -s {0} \"$RAW\"\n"
        "LOOP=$(losetup --find --show --partscan \"$RAW\")\n"
        "trap '\n"
        "  umount /mnt/boot/efi 2>/dev/null || true\n"
        "  umount /mnt 2>/dev/null || true\n"
        "  losetup -d \"$LOOP\" 2>/dev/null || true\n"
        "' EXIT\n"
        "parted -s \"$LOOP\" \\\n"
        "  mklabel gpt \\\n"
        "  mkpart ESP fat32 1MiB 512MiB \\\n"
        "  set 1 esp on \\\n"
        "  mkpart root {1} 512MiB 100%\n"
        "partprobe \"$LOOP\" || true\n"
        "mkfs.fat -F32 \"${{LOOP}}p1\"\n"
        "{2} \"${{LOOP}}p2\"\n"
        "mkdir -p /mnt\n"
        "mount \"${{LOOP}}p2\" /mnt\n"
        "mkdir -p /mnt/boot/efi\n"
        "mount \"${{LOOP}}p1\" /mnt/boot/efi\n"
        "# >>> install rootfs <<<\n"
        // The include is essential: plain --xattrs drops file capabilities.
        "tar -C /mnt --xattrs --xattrs-include='*' --acls -xzf /in/rootfs.tar.gz\n"
        "{3}"
        "# <<< install rootfs >>>\n"
        "sync\n"
        "umount /mnt/boot/efi\n"
        "umount /mnt\n"
        "losetup -d \"$LOOP\"\n"
        "trap - EXIT\n"
        "qemu-img convert -O qcow2 \"$RAW\" /out/disk.qcow2\n"
        "rm -f \"$RAW\"\n"
        "chown --reference=/out /out/disk.qcow2\n",
        disk_bytes, rootfs, mkfs, body.empty() || body.ends_with('\n') ? body : body + "\n");
}

asio::awaitable<BaseImage> build_bootstrap(VmContext& context, VmSpec spec, BootstrapRun run, Deadline deadline) {
    const BootstrapScripts scripts = bootstrap_scripts(*context.project, spec);
    const bool root = ::geteuid() == 0;
    const std::string image = co_await builder_image(context, spec, root, run.console, deadline);

    const ImageCache cache(context.image_cache());
    const std::string known = "bootstrap:" + sha256_hex(image + '\0' + scripts.rootfs + '\0' + scripts.disk);
    const state::FileLock lock = co_await state::lock_async(
        context.runtime.pool, cache.lock_path(known), "another ov command builds this disk", deadline, std::chrono::hours(6));
    const std::optional<IndexedImage> before = cache.find(known);
    if (!run.fresh && before && cache.has(before->digest)) {
        BaseImage base = co_await inspect_base(cache.image_path(before->digest), before->digest, deadline);
        co_return base;
    }

    std::error_code ignored;
    fs::remove_all(run.workplace, ignored);  // of a run that was killed
    const auto drop = [at = run.workplace](void*) {
        std::error_code not_there;
        fs::remove(at, not_there);
    };
    const std::shared_ptr<void> emptied(nullptr, drop);  // after `place`
    const StageDirectory place(run.workplace);
    const std::string made = place.path() + "/disk", unpacked = place.path() + "/rootfs";
    for (const std::string& directory : {made, unpacked})
        if (fs::create_directory(directory, ignored); ignored)
            throw Error(Errc::io, fmt::format("{}: {}", directory, ignored.message()));
    const std::string no_input;
    const std::vector<std::string> first = container_argv(image, unpacked, no_input, root);
    const std::string looked = fmt::format("looking at what {} can do here", image);
    const std::string missing = co_await run_in(first, scripts.probe, run.console, looked, deadline);
    if (!missing.empty())
        throw Error(Errc::unsupported,
                    fmt::format("vm.{}: its disk cannot be built on this host:\n{}", spec.name, last_lines(missing, 20)));
    context.say(fmt::format("{} installs {} in a container of {}", spec.source.builder, spec.source.distro, image));
    const std::string installed = fmt::format("builder.{} in {}", spec.source.builder, image);
    co_await run_in(first, scripts.rootfs, run.console, installed, deadline);
    if (!fs::exists(unpacked + "/rootfs.tar.gz"))
        throw Error(Errc::step_failed, fmt::format("builder.{} made no /out/rootfs.tar.gz", spec.source.builder));
    context.say(fmt::format("making a disk of it, root file system {}", rootfs_of(spec)));
    std::vector<std::string> second = container_argv(image, made, unpacked, root);
    const std::string formatted = fmt::format("the disk of {}", spec.name);
    co_await run_in(std::move(second), scripts.disk, run.console, formatted, deadline);
    if (!fs::exists(made + "/disk.qcow2"))
        throw Error(Errc::step_failed, fmt::format("the disk of {}: the container made no /out/disk.qcow2", spec.name));
    BaseImage base = co_await adopt_disk(context, made + "/disk.qcow2", deadline);
    IndexedImage entry;
    entry.digest = base.digest;
    cache.remember(known, entry);
    co_return base;
}

}  // namespace ov
