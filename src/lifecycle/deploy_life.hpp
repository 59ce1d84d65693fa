// The life of a deploy's machine apart from its layers: start, stop, status, logs, shell, rebuild (`cli-and-config.md` 8.3).
// Machines that this program did not create answer over SSH alone.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "lifecycle/vm_power.hpp"

namespace ov {

/// One row of `ov status`.
struct DeployStatus {
    std::string key, entity, instance;
    std::string state;    ///< "running", "stopped", "paused", "crashed", "unknown"
    std::string backend;  ///< "qemu", "libvirt", "external" or "local"
    std::string domain, ssh;
    std::string host;  ///< of an external machine
    int port = 0;
    bool defined = true;
    bool healthy() const { return state == "running"; }
};

asio::awaitable<DeployStatus> deploy_status(VmContext& context, Hypervisors& hypervisors, DeployTarget target, Deadline deadline);

/// Error{unsupported} naming the deploy for a machine that has no hypervisor side.
void require_managed(const DeployTarget& target, std::string_view verb);

/// What its serial console said: the last `tail` lines, 0 for all. With `follow` more as it comes, until cancelled; that is
/// Error{busy} for a machine that is off. Error{not_found} when there is no log, naming `ov vm create` where there is no VM.
asio::awaitable<void> deploy_logs(VmContext& context, Hypervisors& hypervisors, DeployTarget target, std::size_t tail,
                                  bool follow, std::function<void(std::string_view)> out, Deadline deadline);

/// The program that gives a person a shell there, or runs `command`. Error{busy} naming `ov start` for a VM that is off,
/// Error{not_found} naming `ov vm create` for one that is not defined.
asio::awaitable<std::vector<std::string>> shell_command(VmContext& context, Hypervisors& hypervisors, DeployTarget target,
                                                        std::string command, bool terminal, Deadline deadline);

struct RebuildOptions {
    bool build = false;    ///< a new disk as well
    bool attended = true;  ///< false: a deploy that is not disposable is Error{gate_closed}
};
/// Why nobody may rebuild it unasked; empty when it is disposable or ephemeral.
std::string not_disposable(const DeployNode& node);
/// What a dry run prints.
std::vector<std::string> rebuild_steps(const DeployTarget& target, const RebuildOptions& options);
/// Destroys and creates again, keeping state; an error names the step that failed and that the VM may be absent.
asio::awaitable<void> rebuild_vm(VmContext& context, Hypervisors& hypervisors, DeployTarget target, RebuildOptions options,
                                 Deadline deadline);

}  // namespace ov
