// The pure half of bootstrap builds: what the containers are told.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/sha256.hpp"
#include "base/shell_quote.hpp"
#include "lifecycle/bootstrap_build.hpp"
#include "model/yaml_writer.hpp"
#include "ov/error.hpp"
#include "ov/vm_defaults.hpp"
#include "plan/project_definitions.hpp"
#include "plan/text_template.hpp"

namespace ov {

namespace {

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

/// The builder's `cache_mount`s, as volumes that outlive a container.
std::vector<std::string> volumes_of(const Project& project, const VmSpec& spec) {
    std::vector<std::string> volumes;
    const std::string& name = spec.source.builder;
    const YamlPtr mounts = yaml_entry(builder_of(project, spec), "cache_mount");
    if (!mounts) return volumes;
    for (const YamlPtr& mount : mounts->items) {
        const std::string place = yaml_entry_text(mount, "dst");
        if (!place.starts_with('/') || place.find(':') != std::string::npos)
            throw Error(Errc::spec_invalid,
                        fmt::format("builder.{}.cache_mount: dst: expected an absolute path without ':', got '{}'", name, place));
        volumes.push_back(fmt::format("ov-cache-{}:{}", sha256_hex(name + '\0' + place).substr(0, 16), place));
    }
    return volumes;
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
            fmt::format("GRUB_CMDLINE_LINUX=\"${{GRUB_CMDLINE_LINUX-}} \"{}", shell_quote(spec.source.kernel_args));
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
        // A mount asks the kernel for the module, from a container too; a helper of the image (FUSE) will do.
        "for kind in vfat {}; do\n"
        "  mount -i -t $kind /dev/null /mnt 2> /dev/null\n"
        "  grep -qw $kind /proc/filesystems || command -v mount.$kind > /dev/null || echo \"the kernel $(uname -r) has no file "
        "system $kind (not in /proc/filesystems, "
        "no module came when one was mounted), and the builder's image no mount.$kind\"\n"
        "done\n"
        "true\n",
        mkfs.substr(0, mkfs.find(' ')), rootfs);
}

}  // namespace

BootstrapScripts bootstrap_scripts(const Project& project, const VmSpec& spec) {
    const auto size = vm::parse_size(spec.disk_size, vm::SizeUnit::byte);
    if (!size)
        throw Error(Errc::spec_invalid,
                    fmt::format("vm.{}.disk_size: a bootstrapped disk needs a size, for example 10G", spec.name));
    const std::string rootfs = rootfs_of(spec);
    return {probe_script(rootfs), rootfs_script(project, spec), bootstrap_disk_script(*size, rootfs, disk_body(project, spec)),
            volumes_of(project, spec)};
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

}  // namespace ov
