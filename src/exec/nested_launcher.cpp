#include "exec/nested_launcher.hpp"

#include <fmt/format.h>

#include "base/shell_quote.hpp"

namespace ov {
namespace {

/// [user@]host[:port] in its parts.
struct SshTarget {
    std::string destination, port;
    bool root = false;

    explicit SshTarget(std::string target) {
        const std::size_t at = target.rfind('@'), colon = target.rfind(':');
        const bool one_colon = colon != std::string::npos && target.find(':', at == std::string::npos ? 0 : at) == colon;
        if (one_colon && (at == std::string::npos || colon > at)) {
            port = target.substr(colon + 1);
            target.erase(colon);
        }
        root = target.starts_with("root@");
        destination = std::move(target);
    }
};

const char* word_of(NestedJump::Kind kind) {
    switch (kind) {
        case NestedJump::Kind::podman_exec:
            return "podman-exec";
        case NestedJump::Kind::docker_exec:
            return "docker-exec";
        case NestedJump::Kind::ssh:
            return "ssh";
        case NestedJump::Kind::virsh_console:
            return "virsh";
    }
    return "?";
}

class NestedLauncher final : public Launcher {
public:
    NestedLauncher(std::unique_ptr<Launcher> parent, NestedJump jump) : parent_(std::move(parent)), jump_(std::move(jump)) {}

    std::string venue() const override {
        return fmt::format("nested:{}:{}/{}", word_of(jump_.kind), jump_.target, parent_->venue());
    }

    /// In a container root is a matter of the exec, not of sudo.
    bool is_root() const override { return jump_.kind != NestedJump::Kind::ssh || SshTarget(jump_.target).root; }

    asio::awaitable<std::unique_ptr<RemoteProcess>> launch(std::string command, RunAs as, Deadline deadline) override {
        // The jump carries its own escalation: it is made by the parent's user.
        std::string line = nested_command(jump_, command, as);
        auto process = co_await parent_->launch(std::move(line), RunAs::user, deadline);
        co_return process;
    }

    asio::awaitable<void> close(Deadline deadline) override { return parent_->close(deadline); }

private:
    std::unique_ptr<Launcher> parent_;
    NestedJump jump_;
};

}  // namespace

std::string nested_command(const NestedJump& jump, const std::string& command, RunAs as) {
    const std::string quoted = shell_quote(command);
    switch (jump.kind) {
        case NestedJump::Kind::podman_exec:
        case NestedJump::Kind::docker_exec: {
            const char* engine = jump.kind == NestedJump::Kind::podman_exec ? "podman" : "docker";
            const char* user = as == RunAs::root ? " --user 0:0" : "";
            return fmt::format("exec {} exec -i{} {} sh -c {}", engine, user, shell_quote(jump.target), quoted);
        }
        case NestedJump::Kind::ssh: {
            const SshTarget target(jump.target);
            const std::string port = target.port.empty() ? "" : " -p " + shell_quote(target.port);
            return fmt::format("exec ssh -o BatchMode=yes -o ServerAliveInterval=15{} -- {} {}", port,
                               shell_quote(target.destination), quoted);
        }
        case NestedJump::Kind::virsh_console:
            break;
    }
    throw Error(Errc::unsupported,
                fmt::format("{}: no script runs over a serial console; reach the machine over SSH (its ssh alias)", jump.target));
}

std::unique_ptr<Launcher> make_nested_launcher(std::unique_ptr<Launcher> parent, NestedJump jump) {
    return std::make_unique<NestedLauncher>(std::move(parent), std::move(jump));
}

}  // namespace ov
