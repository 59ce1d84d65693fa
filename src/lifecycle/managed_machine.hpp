// Machines that `ov` made, as the deploy verbs see them: is it there, is it on, how is it reached, what does its console say.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "lifecycle/hypervisors.hpp"
#include "ov/events.hpp"

namespace ov {

struct ManagedMachine {
    SshDestination destination;
    MachineState before = MachineState::running;  ///< before it was started
    bool first_boot = false;                      ///< nothing was ever deployed to it, as far as this host knows
    std::string console_log;                      ///< may not exist
};

/// Where its sshd is, from state; what state does not say comes from the managed ssh stanza.
SshDestination managed_destination(const VmContext& context, const DeployTarget& target);

/// Off: started. Paused: resumed. With OV_DEPLOY_NO_AUTOBOOT set that is Error{busy} naming `ov vm start`. Not defined:
/// Error{not_found} naming `ov vm create` (and `ov vm build` when there is no disk); nothing is ever built or created here.
asio::awaitable<ManagedMachine> start_for_deploy(VmContext& context, Hypervisors& hypervisors, DeployTarget target,
                                                 EmitEvent emit, Deadline deadline);

/// Throws that Error{not_found}.
[[noreturn]] void not_defined(const VmContext& context, const DeployTarget& target);

/// For verbs that only look. Never starts anything.
asio::awaitable<MachineState> look_at(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline);

/// What the machine wrote to its serial console last, as output of the machine.
void show_console(const std::string& console_log, const EmitEvent& emit);

}  // namespace ov
