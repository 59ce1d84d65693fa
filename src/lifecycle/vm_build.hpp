// `ov vm build`: from a VM entity to a disk and a seed that a machine can be made of (`vm-lifecycle.md` 4).
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "lifecycle/vm_context.hpp"

namespace ov {

struct BuildOptions {
    state::VmOverrides given;
    std::string type = "qcow2";  ///< or raw
    std::string transport;       ///< bootc
    bool discard = false;        ///< throw a disk with data away
    bool console = false;        ///< the build's own output, as it comes
};

struct BuildResult {
    std::string disk, base_digest, seed, instance_id;
    bool kept = false;  ///< the disk was there and is right
};

/// Takes the machine's lock. A disk that exists and stands on the right base is kept (grown if disk_size says so); one that does
/// not is replaced only if no machine was ever made of it, or with `discard`: then the data is lost and the guest gets a new
/// instance id. Throws Error{busy} while a machine runs on the disk; nothing half-made stays.
asio::awaitable<BuildResult> build_vm(VmContext& context, VmIdentity machine, BuildOptions options, Deadline deadline);

}  // namespace ov
