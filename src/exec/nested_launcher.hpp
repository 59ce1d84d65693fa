// Venues inside venues: a container or another machine, reached with a program of the machine in between.
#pragma once

#include <memory>
#include <string>

#include "exec/remote_process.hpp"

namespace ov {

/// One jump from where commands run to further inside (`deploy-engine.md` 3.3).
struct NestedJump {
    enum class Kind {
        podman_exec,  ///< into a running container
        docker_exec,
        ssh,            ///< with the ssh client, keys and configuration of the machine in between
        virsh_console,  ///< for people only: scripted use is an error that names SSH
    } kind = Kind::podman_exec;
    std::string target;  ///< container, or [user@]host[:port] or an alias
};

/// Starts programs behind the jump. Owns `parent`.
std::unique_ptr<Launcher> make_nested_launcher(std::unique_ptr<Launcher> parent, NestedJump jump);

/// The command line that `command` becomes where the jump starts.
std::string nested_command(const NestedJump& jump, const std::string& command, RunAs as);

}  // namespace ov
