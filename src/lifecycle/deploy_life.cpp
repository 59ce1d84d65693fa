#include "lifecycle/deploy_life.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/shell_quote.hpp"
#include "exec/ssh_connect.hpp"
#include "lifecycle/managed_machine.hpp"
#include "lifecycle/vm_build.hpp"
#include "lifecycle/vm_create.hpp"

namespace ov {
namespace {

using namespace std::chrono_literals;

std::string state_word(MachineState state) {
    switch (state) {
        case MachineState::running:
        case MachineState::shutting_down:
            return "running";
        case MachineState::paused:
        case MachineState::suspended:
            return "paused";
        case MachineState::crashed:
            return "crashed";
        case MachineState::shut_off:
        case MachineState::undefined:
            return "stopped";
        default:
            return "unknown";
    }
}

std::string ssh_text(const SshDestination& destination) {
    return fmt::format("{}{}{}", destination.user.empty() ? "" : destination.user + "@", destination.host,
                       destination.port > 0 ? fmt::format(":{}", destination.port) : "");
}

/// Whether its sshd lets us in, within a few seconds.
asio::awaitable<bool> answers(VmContext& context, SshDestination given, Deadline deadline) {
    bool reached = false;
    try {
        const Deadline limit = deadline.child(4s);
        SshDestination destination = co_await resolve_destination(std::move(given), limit);
        SshContext ssh(context.runtime);
        const NoteSink silent;
        auto connection = co_await connect_once(ssh, std::move(destination), ConnectLimits{}, silent, limit);
        reached = true;
        const Deadline closing = Deadline::unlimited().child(1s);
        co_await connection->close(closing);
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled) throw;
    }
    co_return reached;
}

std::vector<std::string> lines_of(const std::string& file, std::size_t tail) {
    std::ifstream in(file, std::ios::binary);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line + "\n");
    if (tail > 0 && lines.size() > tail) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(tail));
    return lines;
}

/// `step` names what was being done when it went wrong.
asio::awaitable<void> in_step(const DeployTarget& target, const char* step, asio::awaitable<void> work) {
    std::optional<Error> failure;
    try {
        co_await std::move(work);
    } catch (const Error& error) {
        failure = error;
    }
    if (!failure) co_return;
    throw failure->within(fmt::format("deploy {}: rebuild stopped at `ov vm {} {}`; the VM may be absent", target.key, step,
                                      target.machine.entity));
}

asio::awaitable<void> destroy_step(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline) {
    DestroyOptions options;
    options.keep_deploy = true;
    co_await destroy_vm(context, hypervisors, machine, options, deadline);
}

asio::awaitable<void> build_step(VmContext& context, VmIdentity machine, Deadline deadline) {
    BuildOptions options;
    options.discard = true;
    co_await build_vm(context, machine, options, deadline);
}

asio::awaitable<void> create_step(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline) {
    const CreateOptions options;
    co_await create_vm(context, hypervisors, machine, options, deadline);
}

}  // namespace

void require_managed(const DeployTarget& target, std::string_view verb) {
    if (target.is_managed() && !target.outer) return;
    const char* why = target.is_local() ? "this is a machine of its own" : "its machine was not created here";
    throw Error(Errc::unsupported, fmt::format("deploy {}: ov {} works on VMs that ov created; {}", target.key, verb, why));
}

asio::awaitable<DeployStatus> deploy_status(VmContext& context, Hypervisors& hypervisors, DeployTarget target,
                                            Deadline deadline) {
    DeployStatus status;
    status.key = target.key;
    status.entity = target.machine.entity;
    status.instance = target.machine.instance;
    status.domain = target.machine.domain();
    if (target.is_this_host()) {
        status.state = "running";
        status.backend = "local";
        status.ssh = "-";
        co_return status;
    }
    if (!target.is_managed()) {
        const DeployTarget& machine = target.outer ? *target.outer : target;
        SshDestination destination = destination_of(machine, context.paths);
        status.backend = target.outer ? "nested" : "external";
        status.ssh = ssh_text(destination);
        status.host = destination.host;
        status.port = destination.port;
        const bool reached = co_await answers(context, std::move(destination), deadline);
        status.state = reached ? "running" : "unknown";
        co_return status;
    }
    const VmState* known = context.known_state(target.machine);
    VmState state;
    if (known != nullptr) state = *known;
    const LocatedVm found = co_await hypervisors.locate(target.machine, state, deadline);
    status.defined = found.backend != nullptr;
    status.backend = found.backend == nullptr ? state.backend : found.backend->kind() == Backend::qemu ? "qemu" : "libvirt";
    status.state = state_word(found.state);
    status.port = state.ssh_port.value_or(0);
    status.ssh = ssh_text(managed_destination(context, target));
    co_return status;
}

asio::awaitable<void> deploy_logs(VmContext& context, Hypervisors& hypervisors, DeployTarget target, std::size_t tail,
                                  bool follow, std::function<void(std::string_view)> out, Deadline deadline) {
    require_managed(target, "logs");
    const std::string file = context.files(target.machine).console_log();
    const MachineState state = co_await look_at(context, hypervisors, target.machine, deadline);
    std::error_code ignored;
    const bool there = std::filesystem::exists(file, ignored);
    if (!there && state == MachineState::undefined) not_defined(context, target);
    if (!there)
        throw Error(Errc::not_found, fmt::format("deploy {}: the VM is {} and has written no console log ({})", target.key,
                                                 to_string(state), file));
    if (follow && !is_active(state))
        throw Error(Errc::busy, fmt::format("deploy {}: the VM is {}: there is nothing to follow; run: ov start {}", target.key,
                                            to_string(state), target.key));
    const std::vector<std::string> lines = lines_of(file, tail);
    if (lines.empty() && !follow) context.say(fmt::format("{} is empty: the VM has written nothing to its serial console", file));
    for (const std::string& line : lines) out(line);
    if (!follow) co_return;
    std::ifstream in(file, std::ios::binary | std::ios::ate);
    std::string chunk(65536, '\0');
    for (;;) {
        in.clear();
        while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0)
            out(std::string_view(chunk.data(), static_cast<std::size_t>(in.gcount())));
        co_await sleep_for(200ms, deadline);
    }
}

asio::awaitable<std::vector<std::string>> shell_command(VmContext& context, Hypervisors& hypervisors, DeployTarget target,
                                                        std::string command, bool terminal, Deadline deadline) {
    const DeployTarget& machine = target.outer ? *target.outer : target;
    std::string inside = command;
    for (auto jump = target.jumps.rbegin(); jump != target.jumps.rend(); ++jump) {
        std::string line = nested_command(*jump, inside.empty() ? "exec bash -l" : inside, RunAs::user);
        if (terminal && jump->kind == NestedJump::Kind::ssh) line.replace(0, 8, "exec ssh -t");
        if (terminal && jump->kind != NestedJump::Kind::ssh) line.replace(line.find("exec -i"), 7, "exec -it");
        inside = line;
    }
    if (machine.is_this_host()) {
        std::vector<std::string> argv = {"bash"};
        if (!inside.empty()) argv.insert(argv.end(), {"-c", inside});
        co_return argv;
    }
    SshDestination destination;
    if (machine.is_managed()) {
        const MachineState state = co_await look_at(context, hypervisors, machine.machine, deadline);
        if (state == MachineState::undefined) not_defined(context, machine);
        if (state != MachineState::running)
            throw Error(Errc::busy,
                        fmt::format("deploy {}: the VM is {}; run: ov start {}", target.key, to_string(state), machine.key));
        destination = managed_destination(context, machine);
    } else {
        destination = destination_of(machine, context.paths);
    }
    std::vector<std::string> argv = {"ssh"};
    if (terminal) argv.emplace_back("-t");
    if (destination.port > 0) argv.insert(argv.end(), {"-p", std::to_string(destination.port)});
    if (!destination.user.empty()) argv.insert(argv.end(), {"-l", destination.user});
    for (const std::string& key : destination.identities) argv.insert(argv.end(), {"-i", key});
    if (!destination.known_hosts.empty())
        argv.insert(argv.end(), {"-o", "UserKnownHostsFile=" + destination.known_hosts.front()});
    argv.insert(argv.end(), {"--", destination.host});
    if (!inside.empty()) argv.push_back(inside);
    co_return argv;
}

std::string not_disposable(const DeployNode& node) {
    const YamlNode* ephemeral = node.body ? node.body->find("ephemeral") : nullptr;
    if (node.disposable.value_or(false) || (ephemeral != nullptr && !ephemeral->is_null())) return {};
    return fmt::format("\"{}\" is not marked `disposable: true` (lifecycle: {})", node.key,
                       node.lifecycle.empty() ? "(unset)" : node.lifecycle);
}

std::vector<std::string> rebuild_steps(const DeployTarget& target, const RebuildOptions& options) {
    const std::string name =
        target.machine.instance.empty() ? target.machine.entity : target.machine.entity + "/" + target.machine.instance;
    std::vector<std::string> steps = {"ov vm destroy " + name};
    if (options.build) steps.push_back("ov vm build " + name);
    steps.push_back("ov vm create " + name);
    steps.push_back("ov vm start " + name);
    return steps;
}

asio::awaitable<void> rebuild_vm(VmContext& context, Hypervisors& hypervisors, DeployTarget target, RebuildOptions options,
                                 Deadline deadline) {
    require_managed(target, "update");
    if (const std::string why = not_disposable(target.node); !why.empty()) {
        if (!options.attended)
            throw Error(Errc::gate_closed, fmt::format("deploy {}: {}; it is not rebuilt unasked", target.key, why));
        context.say(fmt::format("{}; rebuilding it anyway per your explicit `ov update`.", why));
    }
    co_await in_step(target, "destroy", destroy_step(context, hypervisors, target.machine, deadline));
    if (options.build) co_await in_step(target, "build", build_step(context, target.machine, deadline));
    co_await in_step(target, "create", create_step(context, hypervisors, target.machine, deadline));
}

}  // namespace ov
