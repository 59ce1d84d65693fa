// `ov vm build`: a disk and a seed of a small image, real qemu-img, state in a home of its own.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "lifecycle/vm_build.hpp"
#include "support/temp_tree.hpp"
#include "support/vm_rig.hpp"

using ov::test::has_programs;
using ov::test::says;
using ov::test::VmRig;

namespace {

namespace fs = std::filesystem;

std::string project_with(const std::string& source, const std::string& more = "ssh: {port_auto: true, key_source: generate}") {
    return "version: 2026.144.1443\nvm:\n  web:\n    source: " + source + "\n    ram: 64M\n    cpu: 1\n    " + more + "\n";
}

/// A rig whose entity stands on a 1 MiB image of its own.
class BuildRig {
public:
    explicit BuildRig(const std::string& more = "ssh: {port_auto: true, key_source: generate}") {
        image = images.path("base.qcow2");
        REQUIRE(std::system(("qemu-img create -q -f qcow2 " + image + " 1M").c_str()) == 0);
        rig = std::make_unique<VmRig>(project_with("{kind: cloud_image, url: \"file://" + image + "\", base_user: me}", more));
    }
    std::string build(ov::BuildOptions options = {}) {
        return rig->run(
            [&]() -> asio::awaitable<void> { result = co_await ov::build_vm(*rig->context, rig->web, options, VmRig::limit()); });
    }
    bool exists(const std::string& path) const { return fs::exists(rig->tree.path(path)); }
    /// Nothing in the project, the state, deploy.yml.
    bool nothing_made() const {
        return !exists("project/output/qcow2") && !exists("home/.local/share/ov/vm/ov-web") && rig->deploy_file().empty();
    }

    ov::test::TempTree images;
    std::string image;
    std::unique_ptr<VmRig> rig;
    ov::BuildResult result;
};

}  // namespace

TEST_CASE("build: disk, seed, keys and state; again keeps the disk; --discard makes it afresh with a new instance id") {
    if (!has_programs({"qemu-img"})) return;
    BuildRig rig;
    CHECK(rig.build() == "");
    CHECK_FALSE(rig.result.kept);
    CHECK(rig.exists("project/output/qcow2/web/disk.qcow2"));
    CHECK(rig.exists("project/output/qcow2/web/seed.iso"));
    const std::string id = rig.result.instance_id, key = rig.rig->tree.read("home/.local/share/ov/vm/ov-web/id_ed25519");
    CHECK_MESSAGE(says(rig.rig->deploy_file(), id), rig.rig->deploy_file());
    CHECK(key != "");
    CHECK(rig.build() == "");
    CHECK(rig.result.kept);
    CHECK(rig.result.instance_id == id);
    ov::BuildOptions again;
    again.discard = true;
    CHECK(rig.build(again) == "");
    CHECK_FALSE(rig.result.kept);
    CHECK(rig.result.instance_id != id);
    CHECK(rig.rig->tree.read("home/.local/share/ov/vm/ov-web/id_ed25519") == key);
}

TEST_CASE("build: a login key that is missing is said before anything is fetched or made") {
    if (!has_programs({"qemu-img"})) return;
    for (const auto& [ssh, names] : {std::pair("ssh: {port_auto: true}", "ssh.key_source: generate"),
                                     std::pair("ssh: {port_auto: true, key_source: /nowhere/id.pub}", "/nowhere/id.pub")}) {
        BuildRig rig(ssh);
        const std::string error = rig.build();
        CHECK_MESSAGE(says(error, "not_found: ssh.key_source"), error);
        CHECK_MESSAGE(says(error, names), error);
        CHECK(rig.nothing_made());
        CHECK_FALSE(rig.exists("home/.cache/ov/vm-images"));
    }
}

TEST_CASE(
    "build that fails leaves nothing half-made: wrong size, image missing, image that is none, seed that cannot be written") {
    if (!has_programs({"qemu-img"})) return;
    SUBCASE("disk_size below the image") {
        BuildRig rig("disk_size: 512K");
        rig.rig->tree.write("home/.ssh/id_ed25519.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDocsOnlyKey lab@example\n");
        CHECK(says(rig.build(), "a disk only grows"));
        CHECK(rig.nothing_made());
    }
    SUBCASE("no image") {
        BuildRig rig;
        fs::remove(rig.image);
        CHECK(says(rig.build(), rig.image));
        CHECK(rig.nothing_made());
    }
    SUBCASE("an image that is none") {
        BuildRig rig;
        std::ofstream(rig.image) << "this stands on another file";
        const std::string error = rig.build();
        CHECK(error == "");  // raw bytes are a raw image
    }
    SUBCASE("no seed") {
        BuildRig rig;
        rig.rig->tree.write("project/output/qcow2/web/seed.iso/in-the-way", "");
        CHECK(rig.build() != "");
        CHECK_FALSE(rig.exists("project/output/qcow2/web/disk.qcow2"));
        CHECK_FALSE(rig.exists("home/.local/share/ov/vm/ov-web"));
        CHECK(rig.rig->deploy_file() == "");
    }
}

TEST_CASE("build that fails over what was there before leaves it as it was") {
    if (!has_programs({"qemu-img"})) return;
    BuildRig rig;
    CHECK(rig.build() == "");
    const std::string id = rig.result.instance_id, before = rig.rig->deploy_file();
    fs::remove(rig.image);
    fs::remove_all(rig.rig->tree.path("home/.cache/ov/vm-images"));
    ov::BuildOptions again;
    again.discard = true;
    CHECK(rig.build(again) != "");
    CHECK(rig.exists("project/output/qcow2/web/disk.qcow2"));
    CHECK(rig.exists("project/output/qcow2/web/seed.iso"));
    CHECK(rig.rig->deploy_file() == before);
}

TEST_CASE("stop, start and destroy of a machine that never was make nothing, and say so") {
    VmRig rig;
    const ov::VmIdentity nothere{"nothere", {}};
    ov::StopResult stopped{};
    ov::DestroyResult destroyed;
    CHECK(rig.run([&]() -> asio::awaitable<void> {
        const ov::StopOptions force{ov::StopOptions::Way::force, std::chrono::seconds(5)};
        stopped = co_await ov::stop_vm(*rig.context, *rig.hypervisors, nothere, force, VmRig::limit());
    }) == "");
    CHECK(rig.run([&]() -> asio::awaitable<void> {
        ov::DestroyOptions options;
        options.disk = true;
        destroyed = co_await ov::destroy_vm(*rig.context, *rig.hypervisors, nothere, options, VmRig::limit());
    }) == "");
    const std::string started = rig.run(
        [&]() -> asio::awaitable<void> { co_await ov::start_vm(*rig.context, *rig.hypervisors, nothere, VmRig::limit()); });
    CHECK(stopped == ov::StopResult::undefined);
    CHECK_FALSE(destroyed.known);
    CHECK(says(started, "ov vm create nothere"));
    CHECK_FALSE(fs::exists(rig.tree.path("home/.local")));
}
