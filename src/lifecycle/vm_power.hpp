// `ov vm start|stop|destroy`, and what `deploy add` does about a machine that is off (`cli-and-config.md` 8).
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>

#include "lifecycle/hypervisors.hpp"

namespace ov {

/// The state it was in. Off boots, paused resumes, running stays. Error{not_found} naming `ov vm create` when it is not defined.
asio::awaitable<MachineState> start_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline);

/// Off is StopResult::was_off, not there StopResult::undefined; neither is a failure.
asio::awaitable<StopResult> stop_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, StopOptions options,
                                    Deadline deadline);

struct DestroyOptions {
    bool force = false;  ///< power off at once instead of asking the guest first; also with snapshots that others stand on
    std::chrono::milliseconds timeout = std::chrono::seconds(60);  ///< for the guest's own shutdown
    bool disk = false;                                             ///< also the disk directory, keys, variables and snapshots
    bool keep_deploy = false;                                      ///< deploy.yml stays as it is
};
struct DestroyResult {
    bool known = true;     ///< this host had something of it
    bool existed = false;  ///< a hypervisor had it
    StopResult stop = StopResult::was_off;
};
/// Ends and forgets the machine, its alias and its state. Absent is no failure, so that leftovers can always be removed; for a
/// machine that never was nothing is made, not even a lock. The operator's instance.yml always stays; the disk, the keys, the
/// UEFI variables and the snapshots stay without `disk`.
asio::awaitable<DestroyResult> destroy_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine,
                                          DestroyOptions options, Deadline deadline);

/// One row of `vm list`.
struct VmRow {
    std::string name;
    Backend backend = Backend::qemu;
    MachineState state = MachineState::unknown;
};
/// Every machine of both backends, by name; a libvirt domain hides a QEMU machine of the same name. A backend that does not
/// answer is said, not thrown.
asio::awaitable<std::vector<VmRow>> list_vms(VmContext& context, Hypervisors& hypervisors, Deadline deadline);

/// The last lines that the machine wrote to its serial console, empty when there is no log. Blocks shortly.
std::string console_tail(const std::string& log_file, std::size_t lines = 20);

}  // namespace ov
