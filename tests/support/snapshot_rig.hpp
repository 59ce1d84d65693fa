#pragma once
// A machine that is off, with a disk of its own, and the snapshot verbs on it.

#include <string>

#include "lifecycle/vm_snapshot.hpp"
#include "support/vm_rig.hpp"

namespace ov::test {

class SnapshotRig : public VmRig {
public:
    explicit SnapshotRig(HostFacts facts = qemu_host(), CreateOptions off = {}) : VmRig(one_vm, std::move(facts)) {
        disk();
        off.start = false;
        if (off.backend == "libvirt") keeper_ = keep_test_driver(runtime);
        REQUIRE(create(off) == "created");
    }
    std::string snapshot(const std::string& name, const std::string& mode = "external") {
        SnapshotOptions options;
        options.mode = mode;
        return run(
            [&]() -> asio::awaitable<void> { co_await create_snapshot(*context, *hypervisors, web, name, options, limit()); });
    }
    std::string remove(const std::string& name, bool force = false) {
        const SnapshotOptions options;
        return run([&]() -> asio::awaitable<void> {
            co_await delete_snapshot(*context, *hypervisors, web, name, force, options, limit());
        });
    }
    state::SnapshotRegistry registry() const { return state::load_snapshots(context->files(web)); }

private:
    std::unique_ptr<MachineBackend> keeper_;
};

}  // namespace ov::test
