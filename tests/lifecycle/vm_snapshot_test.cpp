// Snapshots on real disks of machines that are off: what the guest wrote is told apart by a pattern that qemu-io writes.
#include "lifecycle/vm_snapshot.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/snapshot_rig.hpp"

using ov::test::has_programs;
using ov::test::SnapshotRig;

namespace {

class Rig : public SnapshotRig {
public:
    std::string revert(const std::string& name) {
        return run([&]() -> asio::awaitable<void> {
            co_await ov::revert_snapshot(*context, *hypervisors, web, name, options_, limit());
        });
    }
    std::string promote(const std::string& name) {
        return run([&]() -> asio::awaitable<void> { co_await ov::promote_snapshot(*context, *hypervisors, web, name, limit()); });
    }
    /// The file that the machine runs on, from the definition that it boots with.
    std::string active() {
        std::vector<std::string> files;
        run([&]() -> asio::awaitable<void> { files = co_await hypervisors->qemu().disks("ov-web", limit()); });
        return files.empty() ? std::string() : files.front();
    }
    void write(int pattern) {
        const std::string command =
            "qemu-io -f qcow2 -c 'write -q -P " + std::to_string(pattern) + " 0 4k' " + active() + " > /dev/null";
        REQUIRE(std::system(command.c_str()) == 0);
    }
    bool holds(int pattern) {
        const std::string command =
            "qemu-io -r -U -f qcow2 -c 'read -q -P " + std::to_string(pattern) + " 0 4k' " + active() + " > /dev/null 2>&1";
        return std::system(command.c_str()) == 0;
    }

private:
    ov::SnapshotOptions options_;
};

bool is_read_only(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && (status.st_mode & 0222) == 0;
}

}  // namespace

TEST_CASE("an external snapshot freezes the disk; revert brings its data back, delete keeps the present ones") {
    if (!has_programs({"qemu-system-x86_64", "qemu-io"})) return;
    Rig rig;
    const std::string built = rig.active();
    rig.write(1);
    CHECK(rig.snapshot("s1") == "");
    const auto entry = rig.registry().at("s1");
    CHECK(entry.disk_path == built);
    CHECK(entry.active_path == rig.active());
    CHECK(entry.active_path != built);
    CHECK(is_read_only(built));
    CHECK(rig.deploy_file().find("snapshot:") != std::string::npos);
    CHECK(rig.deploy_file().find("disk_path: " + rig.active()) != std::string::npos);
    CHECK(rig.holds(1));
    rig.write(2);
    CHECK(rig.revert("s1") == "");
    CHECK(rig.holds(1));
    rig.write(3);
    CHECK(rig.remove("s1") == "");
    CHECK(rig.holds(3));
    CHECK(rig.active() == built);
    CHECK_FALSE(is_read_only(built));
    CHECK(rig.registry().empty());
    CHECK_FALSE(std::filesystem::exists(rig.state_file("snapshots/s1")));
}

TEST_CASE("a chain of snapshots: back to each, a middle one deleted, the others keep their data") {
    if (!has_programs({"qemu-system-x86_64", "qemu-io"})) return;
    Rig rig;
    for (int i = 1; i <= 3; ++i) {
        rig.write(i);
        CHECK(rig.snapshot("s" + std::to_string(i)) == "");
    }
    CHECK(rig.registry().at("s3").parent == "s2");
    rig.write(9);
    CHECK(rig.remove("s2") == "");
    CHECK(rig.holds(9));
    CHECK(rig.revert("s3") == "");
    CHECK(rig.holds(3));
    CHECK(rig.revert("s1") == "");
    CHECK(rig.holds(1));
    CHECK(rig.remove("s1").starts_with("busy: 2 disks stand on snapshot s1"));
    CHECK(rig.remove("s3") == "");
    CHECK(rig.remove("s1") == "");
    CHECK(rig.holds(1));
    CHECK(rig.registry().empty());
}

TEST_CASE("an internal snapshot is inside the file; promoted it gets one of its own that clones can stand on") {
    if (!has_programs({"qemu-system-x86_64", "qemu-io"})) return;
    Rig rig;
    rig.write(1);
    CHECK(rig.snapshot("in", "internal") == "");
    rig.write(2);
    CHECK(rig.revert("in") == "");
    CHECK(rig.holds(1));
    CHECK(rig.promote("in") == "");
    CHECK(rig.promote("in") == "usage: snapshot in is external already");
    rig.write(4);
    CHECK(rig.revert("in") == "");
    CHECK(rig.holds(1));
    CHECK(rig.registry().at("in").origin_mode == "internal");
}

TEST_CASE("what snapshot verbs refuse") {
    if (!has_programs({"qemu-system-x86_64", "qemu-io"})) return;
    Rig rig;
    struct Row {
        const char *rule, *name, *error;
    };
    const Row rows[] = {{"a path", "../x", "usage: '../x' is no name"},
                        {"a blank", "a b", "usage: 'a b' is no name"},
                        {"empty", "", "usage: '' is no name"},
                        {"a dot in front", ".hidden", "usage: '.hidden' is no name"}};
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        CHECK(rig.snapshot(row.name).starts_with(row.error));
    }
    CHECK(rig.snapshot("s1") == "");
    CHECK(rig.snapshot("s1") == "usage: VM web has a snapshot s1 already");
    CHECK(rig.revert("none") == "not_found: VM web has no snapshot none; make one: ov vm snapshot create web none");
    CHECK(rig.run([&]() -> asio::awaitable<void> {
        co_await ov::reference_snapshot(*rig.context, rig.web, "s1", 2, SnapshotRig::limit());
    }) == "");
    CHECK(rig.remove("s1") == "busy: 2 clones stand on snapshot s1 of web; --force forgets it and leaves its file to them");
    const std::string frozen = rig.registry().at("s1").disk_path;
    CHECK(rig.remove("s1", true) == "");
    CHECK(std::filesystem::exists(frozen));
}

TEST_CASE("what a killed run left is taken back or completed by the next verb") {
    if (!has_programs({"qemu-system-x86_64", "qemu-io"})) return;
    Rig rig;
    rig.write(1);
    CHECK(rig.snapshot("s1") == "");
    auto registry = rig.registry();
    auto& never = registry["never"];
    never.name = "never";
    never.mode = "external";
    never.state = "creating";
    never.disk_path = rig.active();
    never.active_path = rig.state_file("snapshots/never/disk.qcow2");
    registry.at("s1").state = "creating";  // its overlay is what the machine runs on: it was nearly done
    ov::state::save_snapshots(rig.context->files(rig.web), registry);
    rig.tree.write("home/.local/share/ov/vm/ov-web/snapshots/never/disk.qcow2", "half");
    CHECK(rig.snapshot("s2") == "");
    CHECK_FALSE(rig.registry().contains("never"));
    CHECK_FALSE(std::filesystem::exists(rig.state_file("snapshots/never/disk.qcow2")));
    CHECK(rig.registry().at("s1").state == "");
    CHECK(rig.holds(1));
}

TEST_CASE("a registry that cannot be read is named, not overwritten") {
    if (!has_programs({"qemu-system-x86_64", "qemu-io"})) return;
    Rig rig;
    rig.tree.write("home/.local/share/ov/vm/ov-web/snapshots/registry.json", "{ broken");
    CHECK(rig.snapshot("s1").find("registry.json: not a registry of snapshots") != std::string::npos);
    CHECK(rig.tree.read("home/.local/share/ov/vm/ov-web/snapshots/registry.json") == "{ broken");
}
