// Bootstrapped distributions: the scripts from a project's vocabulary, and their two containers, played by a podman of our own.
#include "lifecycle/bootstrap_build.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "lifecycle/vm_build.hpp"
#include "support/corpus.hpp"
#include "support/golden.hpp"
#include "support/vm_rig.hpp"

using namespace ov;
using ov::test::has_programs;
using ov::test::says;
using ov::test::VmRig;

namespace {

std::string project(const std::string& source, const std::string& vocabulary) {
    return "version: 2026.144.1443\nvm:\n  boot:\n    source: {kind: bootstrap, " + source +
           "}\n    disk_size: 2G\n    firmware: uefi-insecure\n    ssh: {user: ana, port_auto: true, key_source: generate}\n" +
           vocabulary;
}

const char* const ours = "builder: strap, builder_image: localhost/helper:2026.1.1, distro: 'mint:22'";
const char* const vocabulary = R"(builder:
  strap: {kind: bootstrap, output_artifact: /out/rootfs.tar.gz, cache_mount: [{dst: /var/cache/apt/archives, sharing: locked}], phase: {install: {container: "install {{range .Packages}}{{.}} {{end}}from {{.Distro.Strap.Mirror}}\n"}}}
  npm: {detect_file: package.json}
distro:
  base: {strap: {mirror: 'http://m', base_package: [kernel, shell]}, bootloader: {fstab_template: "fstab {{.Rootfs}} {{.Mnt}}\n", install_template: "loader {{.SSHUser}}", initramfs_template: ""}}
  mint: {inherits: base}
)";

std::string scripts_of(const std::string& text, BootstrapScripts* into = nullptr) {
    try {
        const VmRig rig(text);
        const BootstrapScripts scripts = bootstrap_scripts(*rig.context->project, *rig.context->project->vms.at("boot").spec);
        if (into != nullptr) *into = scripts;
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("the script that makes a disk of a root file system (vm-lifecycle.md 4.4)") {
    for (const char* rootfs : {"ext4", "xfs", "btrfs"})
        test::check_golden(std::string("build/bootstrap-") + rootfs + ".sh",
                           bootstrap_disk_script(4ULL << 30U, rootfs, "echo body"));
    CHECK_THROWS_AS(bootstrap_disk_script(1, "zfs", ""), Error);
}

TEST_CASE("bootstrap: scripts from the builder and what the distribution inherits, and what is refused") {
    BootstrapScripts scripts;
    CHECK(scripts_of(project(std::string(ours) + ", package: [vim], rootfs: xfs, kernel_args: \"quiet a='b'\"", vocabulary),
                     &scripts) == "");
    CHECK(scripts.rootfs == "install kernel shell vim from http://m\n");
    CHECK(says(scripts.disk, "tar -C /mnt --xattrs --xattrs-include='*' --acls -xzf /in/rootfs.tar.gz\n"));
    CHECK(says(scripts.disk, "\nfstab xfs /mnt\nloader ana\n"));
    CHECK(says(scripts.disk, "mkfs.xfs -f"));
    const test::TempTree tree;
    const std::string setting = scripts.disk.substr(scripts.disk.find("printf '%s\\n'"));
    const std::string line = setting.substr(0, setting.find(" >> /mnt"));
    CHECK(std::system(("set -u; eval \"$(" + line + ")\"; [ \"$GRUB_CMDLINE_LINUX\" = \" quiet a='b'\" ]").c_str()) == 0);
    CHECK(says(scripts.probe, "mkfs.xfs"));

    struct Row {
        const char *rule, *source, *vocabulary, *error;
    };
    const Row rows[] = {
        {"no such builder", "builder: other, builder_image: x/y, distro: mint", vocabulary,
         "vm.boot.source.builder: no builder other of kind bootstrap in this project; there are: strap"},
        {"a builder of another kind", "builder: npm, builder_image: x/y, distro: mint", vocabulary, "there are: strap"},
        {"no vocabulary", ours, "", "there are: none. It is defined under `builder:`, commonly in build.yml"},
        {"a distribution without the builder's section", "builder: strap, builder_image: x/y, distro: arch", vocabulary,
         "vm.boot.source.distro: distro.arch has no `strap:` section"},
        {"no boot loader", ours,
         "builder: {strap: {kind: bootstrap, phase: {install: {container: x}}}}\ndistro: {mint: {strap: {mirror: x}}}\n",
         "distro.mint:22 has no `bootloader:`"},
        {"no script", ours, "builder: {strap: {kind: bootstrap}}\ndistro: {mint: {strap: {mirror: x}}}\n",
         "builder.strap: phase.install.container is missing"},
        {"another artifact", ours, "builder: {strap: {kind: bootstrap, output_artifact: /out/x.tar}}\n",
         "builder.strap.output_artifact: expected /out/rootfs.tar.gz, got '/out/x.tar'"},
        {"a package that a shell would read", "builder: strap, builder_image: x/y, distro: mint, package: ['a;b']", vocabulary,
         "'a;b' is no name of a package"},
        {"a template with what there is not", ours,
         "builder: {strap: {kind: bootstrap, phase: {install: {container: 'a {{nope .X}}'}}}}\ndistro: {mint: {strap: {mirror: "
         "x}}}\n",
         "builder.strap.phase.install.container: line 1: {{nope .X}}: no function nope"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        CHECK_MESSAGE(says(scripts_of(project(row.source, row.vocabulary)), row.error),
                      scripts_of(project(row.source, row.vocabulary)));
    }
}

TEST_CASE("bootstrap: the corpus's vocabulary, whole: both builders give shell") {
    const auto corpus = test::corpus();
    if (!corpus) return;
    struct Row {
        const char *builder, *distro;
        std::vector<const char*> parts;
    };
    const Row rows[] = {
        {"debootstrap",
         "debian:13",
         {"--variant=minbase", "--include=ca-certificates,gnupg", "trixie /target http://",
          "apt-get install -y --no-install-recommends", "linux-image-amd64", "nano"}},
        {"pacstrap",
         "cachyos",
         {"pacman-key --init && pacman-key --populate", "[cachyos-v3]\n", "linux-cachyos", "pacstrap -K -G"}},
    };
    const test::TempTree tree;
    for (const Row& row : rows) {
        CAPTURE(row.builder);
        BootstrapScripts scripts;
        const std::string text = "import: [" + *corpus + "/project/build.yml]\n" +
                                 project(std::string("builder: ") + row.builder + ", builder_image: x/y, distro: '" + row.distro +
                                             "', package: [nano], rootfs: btrfs",
                                         "");
        REQUIRE(scripts_of(text, &scripts) == "");
        for (const char* part : row.parts) CHECK_MESSAGE(says(scripts.rootfs, part), scripts.rootfs);
        CHECK(says(scripts.disk, "UUID=${ROOT_UUID}  /          btrfs"));
        CHECK(says(scripts.disk, "if [ -n \"ana\" ] && [ \"ana\" != \"root\" ]; then"));
        for (const std::string& script : {scripts.probe, scripts.rootfs, scripts.disk}) {
            CHECK_FALSE(says(script, "{{"));
            tree.write("script", script);
            CHECK(std::system(("bash -n " + tree.path("script")).c_str()) == 0);
        }
    }
}

namespace {

/// `podman` on PATH: it writes down what it is told, and what a container would leave stands in /out.
class PodmanRig : public VmRig {
public:
    PodmanRig() : VmRig(project(ours, vocabulary)) {
        tree.write("bin/podman", R"(#!/bin/bash
for word; do case $word in *:/out) out=${word%:/out};; *:/in:ro) in=${word%:/in:ro};; esac; done
[ "$1" = rm ] || script=$(cat)
echo "$*" >> "${0%/bin/podman}/said"
case $1 in rm) touch "${0%/bin/podman}/removed"; exit 0;; esac
case $script in
"for program"*) cat "${0%/bin/podman}/missing" 2> /dev/null; exit 0;;
install*) [ -e "${0%/bin/podman}/slow" ] && exec sleep 60
   echo one >> "${0%/bin/podman}/runs"; echo tar > "$out/rootfs.tar.gz";;
*) [ -f "$in/rootfs.tar.gz" ] || exit 9
   [ -e "${0%/bin/podman}/broken" ] && { echo 'mkfs: no' >&2; exit 7; }
   exec qemu-img create -q -f qcow2 "$out/disk.qcow2" 2G;;
esac
)");
        ::chmod(tree.path("bin/podman").c_str(), 0755);
        tree.write("bin/sudo", "#!/bin/bash\nshift\nexec \"$@\"\n");
        ::chmod(tree.path("bin/sudo").c_str(), 0755);
        old_path_ = std::getenv("PATH");
        ::setenv("PATH", (tree.path("bin") + ":" + old_path_).c_str(), 1);
    }
    ~PodmanRig() { ::setenv("PATH", old_path_.c_str(), 1); }
    std::string build(const std::string& instance = {}, bool discard = false) {
        BuildOptions options;
        options.discard = discard;
        const VmIdentity machine{"boot", instance};
        return run([&]() -> asio::awaitable<void> { built = co_await build_vm(*context, machine, options, limit()); });
    }
    std::size_t runs() const {
        if (!std::filesystem::exists(tree.path("runs"))) return 0;
        const std::string text = tree.read("runs");
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }
    BuildResult built;

private:
    std::string old_path_;
};

}  // namespace

TEST_CASE("bootstrap: `vm build` runs the two containers once for all instances; --discard installs afresh; nothing is left") {
    if (!has_programs({"qemu-img"})) return;
    PodmanRig rig;
    CHECK(rig.build() == "");
    CHECK(std::filesystem::exists(rig.built.disk));
    CHECK(rig.built.base_digest.size() == 64);
    CHECK(rig.runs() == 1);
    CHECK(rig.build() == "");
    CHECK(rig.built.kept);
    CHECK(rig.build("2") == "");
    CHECK_FALSE(rig.built.kept);
    CHECK(rig.runs() == 1);
    CHECK(rig.build({}, true) == "");
    CHECK(rig.runs() == 2);
    CHECK_FALSE(std::filesystem::exists(rig.tree.path("home/.local/share/ov/vm/ov-boot/build")));
    const std::string said = rig.tree.read("said");
    const std::size_t volume = said.find(" -v ov-cache-");
    CHECK_MESSAGE(volume != std::string::npos, said);  // the second container: the first only looks
    CHECK(said.find(":/var/cache/apt/archives ", volume) != std::string::npos);
    CHECK(volume > said.find('\n'));
    CHECK_FALSE(std::filesystem::exists(rig.tree.path("removed")));
}

TEST_CASE("bootstrap: out of time, the container goes too, which the end of `podman run` leaves behind") {
    if (!has_programs({"qemu-img"})) return;
    PodmanRig rig;
    rig.tree.write("slow", "");
    const BuildOptions options;
    const VmIdentity machine{"boot", {}};
    const Deadline soon = Deadline::unlimited().child(std::chrono::seconds(3));
    const std::string error =
        rig.run([&]() -> asio::awaitable<void> { co_await build_vm(*rig.context, machine, options, soon); });
    CHECK(says(error, "timed_out"));
    const std::string said = rig.tree.read("said");
    const std::size_t removed = said.find("rm --force --time 0 ov-build-");
    REQUIRE_MESSAGE(removed != std::string::npos, said);
    const std::string name = said.substr(removed + 20, said.find('\n', removed) - removed - 20);
    CHECK(said.find("run --name " + name + " ") < removed);
    CHECK_FALSE(std::filesystem::exists(rig.tree.path("home/.local/share/ov/vm/ov-boot")));
}

TEST_CASE(
    "bootstrap: what the host lacks is named before anything is installed; a container that fails is, with its last lines") {
    if (!has_programs({"qemu-img"})) return;
    PodmanRig rig;
    rig.tree.write("missing", "the kernel 6 has no file system vfat\nthe builder's image has no parted\n");
    const std::string error = rig.build();
    CHECK(says(error,
               "unsupported: vm.boot: its disk cannot be built on this host:\nthe kernel 6 has no file system vfat\nthe "
               "builder's image has no parted"));
    CHECK(rig.runs() == 0);
    CHECK_FALSE(std::filesystem::exists(rig.tree.path("home/.local/share/ov/vm/ov-boot")));
    rig.tree.write("missing", "");
    rig.tree.write("broken", "");
    CHECK(says(rig.build(), "step_failed: the disk of boot failed (exit status 7): mkfs: no"));
    CHECK_FALSE(std::filesystem::exists(rig.tree.path("home/.local/share/ov/vm/ov-boot")));
    CHECK_FALSE(std::filesystem::exists(rig.tree.path("project/output")));
}
