// Machines that hold an exclusive resource (a GPU) make way for one that claims it, and come back afterwards (`vm-lifecycle.md`
// 17, `cli-and-config.md` 11). `vm create` and `start` acquire, `stop` and `destroy` release; OV_PREEMPT_LEASE in the environment
// says that the caller does both.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "lifecycle/hypervisors.hpp"
#include "state/lease_book.hpp"

namespace ov {

/// What a deploy says of exclusive resources.
struct Exclusive {
    std::vector<std::string> holds, requires_;
    std::string restore = "always";  ///< or on-success
};
/// Throws Error{spec_invalid} naming the deploy, the key and the value. Pure.
Exclusive exclusive_of(const DeployNode& node);

/// Before the machine starts. False when no deploy of it claims anything, or it has its lease already. The lease is in the book
/// before a holder is stopped; holders are shut down by their guests and waited for. Throws Error{busy} naming token, claimant
/// and the way out when another claimant has one; when a holder does not go down, those that did are started again and the lease
/// is dropped.
asio::awaitable<bool> acquire_exclusive(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline);

/// After the machine is off: starts what made way for it (`on-success` only if `succeeded`) and drops the lease. What does not
/// start is said, and the lease stays for `ov preempt restore`.
asio::awaitable<void> release_exclusive(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, bool succeeded,
                                        Deadline deadline);

asio::awaitable<std::vector<state::Lease>> list_leases(VmContext& context, Deadline deadline);

/// Releases the claimant's lease, or all of them when it is empty, whatever the claimant does. Error{not_found} for an unknown
/// one. True when nothing is left of them.
asio::awaitable<bool> restore_preempted(VmContext& context, Hypervisors& hypervisors, std::string claimant, Deadline deadline);

}  // namespace ov
