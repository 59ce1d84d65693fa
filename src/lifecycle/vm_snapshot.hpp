// `ov vm snapshot`: points in time of a machine's disk (`vm-lifecycle.md` 12, decisions 41).
//
// External: the file that the machine runs on is frozen (read-only) and the machine goes on with an overlay; done with the
// machine off, the same on both backends. Internal: inside the disk's own file, by the hypervisor.
//
// The registry is written before and after each step: an entry in state "creating" or "deleting" is of a run that was cut short,
// and the next verb finishes or takes it back.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "lifecycle/hypervisors.hpp"
#include "state/snapshot_registry.hpp"

namespace ov {

struct SnapshotOptions {
    std::string mode = "external";
    std::string description;
    bool quiesce = false;
    std::chrono::milliseconds timeout = std::chrono::seconds(60);  ///< for the guest's shutdown
};

/// All take the machine's lock. A running machine is shut down for an external snapshot or revert, and started again.
asio::awaitable<void> create_snapshot(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, std::string name,
                                      SnapshotOptions options, Deadline deadline);
/// Back to the snapshot. What the machine wrote since the newest snapshot is lost. The snapshot stays.
asio::awaitable<void> revert_snapshot(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, std::string name,
                                      SnapshotOptions options, Deadline deadline);
/// Forgets the point in time; the machine's present state stays. Error{busy} while clones stand on it, unless `force`: then its
/// file stays for them. Error{busy} too when several disks stand on it.
asio::awaitable<void> delete_snapshot(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, std::string name,
                                      bool force, SnapshotOptions options, Deadline deadline);
/// An internal snapshot gets a file of its own, so that clones can stand on it; the internal one stays.
asio::awaitable<void> promote_snapshot(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, std::string name,
                                       Deadline deadline);
asio::awaitable<state::SnapshotRegistry> list_snapshots(VmContext& context, VmIdentity machine, Deadline deadline);

/// One more (or, with -1, one less) clone stands on the snapshot. Error{not_found} naming both for an unknown one.
asio::awaitable<state::Snapshot> reference_snapshot(VmContext& context, VmIdentity machine, std::string name, int change,
                                                    Deadline deadline);

}  // namespace ov
