// Clones of snapshots: the entity, its disk, and the reference that keeps the snapshot.
#include "lifecycle/vm_clone.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "lifecycle/vm_build.hpp"
#include "lifecycle/vm_snapshot.hpp"
#include "support/snapshot_rig.hpp"

using ov::test::has_programs;
using ov::test::says;
using ov::test::SnapshotRig;

namespace {

class Rig : public SnapshotRig {
public:
    using SnapshotRig::SnapshotRig;
    std::string clone(const std::string& from) {
        ov::CloneRequest request;
        request.name = "copy";
        request.from = from;
        const std::string error =
            run([&]() -> asio::awaitable<void> { co_await ov::add_clone_entity(*context, request, limit()); });
        load();
        return error;
    }
    std::string build(bool discard = false) {
        ov::BuildOptions options;
        options.discard = discard;
        return run([&]() -> asio::awaitable<void> { built = co_await ov::build_vm(*context, copy, options, limit()); });
    }
    std::string destroy_copy(ov::VmIdentity which = {"copy", {}}) {
        ov::DestroyOptions options;
        options.disk = true;
        options.force = true;
        return run([&]() -> asio::awaitable<void> { co_await ov::destroy_vm(*context, *hypervisors, which, options, limit()); });
    }
    /// What the registry counts; -1 when deploy.yml counts otherwise.
    int references(const std::string& name) {
        const int count = registry().at(name).refcount;
        const std::string file = deploy_file();
        const std::size_t entry = file.find("name: " + name);
        const std::size_t mirrored = entry == std::string::npos ? entry : file.find("refcount: ", entry);
        const std::string text = fmt::format("refcount: {}\n", count);
        return mirrored != std::string::npos && file.compare(mirrored, text.size(), text) == 0 ? count : -1;
    }

    const ov::VmIdentity copy{"copy", {}};
    ov::BuildResult built;
};

}  // namespace

TEST_CASE("clone: the entity, a disk on the frozen file, one reference however often it is built, none when it is gone") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    Rig rig;
    CHECK(says(rig.clone("web"), "name a snapshot, as web@NAME; web has: none"));
    CHECK(
        says(rig.clone("web@s1"), "not_found: VM web has no snapshot s1 (it has: none); make one: ov vm snapshot create web s1"));
    REQUIRE(rig.snapshot("s1") == "");
    CHECK(rig.clone("web@s1") == "");
    const std::string file = rig.tree.read("project/overthink.yml");
    for (const char* line :
         {"from_vm: web", "from_snapshot: s1", "cloud_init_clean: true", "base_user: me", "ram: 64M", "key_source: generate"})
        CHECK_MESSAGE(says(file, line), file);
    CHECK(says(rig.clone("web@s1"), "there is already a VM copy"));
    CHECK(rig.build() == "");
    CHECK(rig.references("s1") == 1);
    CHECK(rig.build() == "");
    CHECK(rig.built.kept);
    CHECK(rig.build(true) == "");
    CHECK(rig.references("s1") == 1);
    const ov::VmIdentity second{"copy", "2"};
    const ov::BuildOptions plain;
    CHECK(rig.run([&]() -> asio::awaitable<void> { co_await ov::build_vm(*rig.context, second, plain, Rig::limit()); }) == "");
    CHECK(rig.references("s1") == 2);
    CHECK(rig.destroy_copy(second) == "");
    CHECK(rig.references("s1") == 1);
    const std::string info = rig.tree.path("info");
    REQUIRE(std::system(("qemu-img info " + rig.built.disk + " > " + info).c_str()) == 0);
    CHECK(says(rig.tree.read("info"), rig.tree.path("project/output/qcow2/web/disk.qcow2")));
    CHECK(says(rig.remove("s1"), "1 clone stands on snapshot s1"));
    CHECK(rig.create({}, rig.copy) == "created");
    CHECK(rig.destroy_copy() == "");
    CHECK(rig.references("s1") == 0);
    CHECK(rig.remove("s1") == "");
}

TEST_CASE("clone: of a snapshot under libvirt, which defines it with a disk of its own on the frozen file") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"}) || !ov::libvirt_is_built_in()) return;
    const ov::CreateOptions on_libvirt = ov::test::on_test_driver();
    Rig rig(ov::test::libvirt_host(), on_libvirt);
    REQUIRE(rig.snapshot("s1") == "");
    REQUIRE(rig.clone("web@s1") == "");
    CHECK(rig.build() == "");
    CHECK(rig.references("s1") == 1);
    CHECK(rig.create(on_libvirt, rig.copy) == "created");
    ov::LocatedVm found;
    CHECK(rig.run([&]() -> asio::awaitable<void> { found = co_await rig.hypervisors->locate(rig.copy, Rig::limit()); }) == "");
    REQUIRE(found.backend != nullptr);
    CHECK(found.backend->kind() == ov::Backend::libvirt);
    CHECK(found.state == ov::MachineState::running);
    std::vector<std::string> disks;
    const auto ask = [&]() -> asio::awaitable<void> { disks = co_await found.backend->disks(found.name, Rig::limit()); };
    CHECK(rig.run(ask) == "");
    CHECK(std::find(disks.begin(), disks.end(), rig.built.disk) != disks.end());
    CHECK(says(rig.remove("s1"), "1 clone stands on snapshot s1"));
    CHECK(rig.destroy_copy() == "");
    CHECK(rig.references("s1") == 0);
    CHECK(rig.remove("s1") == "");
}

TEST_CASE("clone: a snapshot below the one that it stands on cannot be merged away") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    Rig rig;
    REQUIRE(rig.snapshot("below") == "");
    REQUIRE(rig.snapshot("above") == "");
    REQUIRE(rig.clone("web@above") == "");
    REQUIRE(rig.build() == "");
    CHECK(says(rig.remove("below"), "1 clone stands on snapshot above, whose file stands on that of below"));
    CHECK(rig.destroy_copy() == "");
    CHECK(rig.remove("below") == "");
    CHECK(rig.remove("above") == "");
}

TEST_CASE("clone: a parent that is forgotten comes back to deploy.yml neither with a clone more nor with one less") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    Rig rig;
    REQUIRE(rig.snapshot("s1") == "");
    REQUIRE(rig.clone("web@s1") == "");
    REQUIRE(rig.destroy() == "");
    const auto parent_is_there = [&] { return says(rig.deploy_file(), "vm:web"); };
    CHECK_FALSE(parent_is_there());
    CHECK(rig.build() == "");
    CHECK(rig.registry().at("s1").refcount == 1);
    CHECK_FALSE(parent_is_there());
    CHECK(rig.destroy_copy() == "");
    CHECK(rig.registry().at("s1").refcount == 0);
    CHECK_FALSE(parent_is_there());
}

TEST_CASE("clone: an internal snapshot gets a file of its own; a build that fails takes its reference back") {
    if (!has_programs({"qemu-system-x86_64", "qemu-img"})) return;
    Rig rig;
    REQUIRE(rig.snapshot("inside", "internal") == "");
    REQUIRE(rig.clone("web@inside") == "");
    rig.tree.write("project/output/qcow2/copy/seed.iso/in-the-way", "");
    CHECK(rig.build() != "");
    CHECK(rig.references("inside") == 0);
    std::filesystem::remove_all(rig.tree.path("project/output/qcow2/copy"));
    CHECK(rig.build() == "");
    CHECK(says(rig.notes, "inside of web is internal: it gets a file of its own first"));
    CHECK(rig.references("inside") == 1);
}
