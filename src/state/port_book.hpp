// SSH ports on this host: one allocation at a time, checked against every stored port and against who listens.
#pragma once

#include <functional>
#include <string>

#include "model/vm_identity.hpp"
#include "ov/project.hpp"

namespace ov::state {

struct PortRequest {
    std::string lock_file;    ///< DATA/ov/ports.lock
    std::string deploy_file;  ///< ports are kept there, in `vm_state`
    VmIdentity machine;
    std::string key;       ///< deploy key that gets the state
    int fixed = 0;         ///< the entity's own port; 0: a free one
    int preferred = 0;     ///< the one it had before; taken when it is free
    bool running = false;  ///< the machine runs, so the port is rightly taken
    std::function<bool()> cancelled;
};

/// The port, stored in deploy.yml before this returns. A machine keeps the port it has; an automatic one that a stranger took
/// meanwhile is replaced. Throws Error{busy} when a fixed port is taken, naming the machine that has it if it is ours, else
/// that something listens there; Error{io} when no port is free. Blocks.
int reserve_ssh_port(const PortRequest& request, const DeployMap& project = {});

/// True when nothing listens on 127.0.0.1:`port`.
bool port_is_free(int port);

/// Forgets the machine's port. Blocks.
void release_ssh_port(const std::string& deploy_file, const VmIdentity& machine, const DeployMap& project = {});

}  // namespace ov::state
