// Machines that hold an exclusive resource (a GPU) make way for one that claims it, and come back afterwards (`vm-lifecycle.md`
// 17, `cli-and-config.md` 11). `vm create` and `start` acquire, `stop` and `destroy` release; OV_PREEMPT_LEASE in the environment
// says that the caller does both.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "lifecycle/hypervisors.hpp"
#include "state/lease_book.hpp"

namespace ov {

using MachineWork = std::function<asio::awaitable<void>()>;

/// Runs the work that starts the machine under the lease of what its deploys claim: holders are shut down by their guests and
/// waited for before, and come back when the work fails and leaves the machine off. Throws Error{busy} naming token, claimant and
/// the way out when another claimant has one, and what the work throws.
asio::awaitable<void> run_exclusive(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, MachineWork work,
                                    Deadline deadline);

/// After a stop: when the machine is off, starts what made way for it (`on-success` only if `succeeded`) and drops the lease.
/// What does not start is said, and the lease stays for `ov preempt restore`.
asio::awaitable<void> release_exclusive(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, bool succeeded,
                                        Deadline deadline);

/// For what gives back after a failure: an error of it is said, so that the failure stays the one that is told.
asio::awaitable<void> after_failure(VmContext& context, MachineWork undo);

asio::awaitable<std::vector<state::Lease>> list_leases(VmContext& context, Deadline deadline);

/// Releases the claimant's lease, or all of them when it is empty, whatever the claimant does. Error{not_found} for an unknown
/// one. True when nothing is left of them.
asio::awaitable<bool> restore_preempted(VmContext& context, Hypervisors& hypervisors, std::string claimant, Deadline deadline);

}  // namespace ov
