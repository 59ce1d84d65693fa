// `ov vm create`: a machine of a built disk, defined, recorded and started (`vm-lifecycle.md` 6).
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "lifecycle/hypervisors.hpp"
#include "lifecycle/vm_material.hpp"

namespace ov {

struct CreateOptions {
    state::VmOverrides given;
    std::string backend;      ///< "auto", "libvirt", "qemu"; empty: as recorded, as the entity or the setting says
    std::string connect;      ///< libvirt URI; empty: as recorded, as the entity says
    long long instances = 1;  ///< above 1: what several machines cannot share is an error
    bool start = true;
};

struct CreateResult {
    Backend backend = Backend::qemu;
    enum class Done { created, redefined, started, nothing } done = Done::created;
    std::string name, user;
    int ssh_port = 0;
};

/// Takes the machine's lock. The same definition again starts a machine that is off and leaves a running one alone; another
/// definition replaces that of a machine that is off, and is Error{busy} for a running one. What this run made is taken back when
/// it fails or is cancelled; what a killed run left is completed by the next.
asio::awaitable<CreateResult> create_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, CreateOptions options,
                                        Deadline deadline);

/// The same for callers that hold the machine's lock.
asio::awaitable<CreateResult> create_locked_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine,
                                               CreateOptions options, Deadline deadline);

}  // namespace ov
