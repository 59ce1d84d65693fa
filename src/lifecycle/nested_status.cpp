#include "lifecycle/nested_status.hpp"

#include "async/task_group.hpp"
#include "exec/local_launcher.hpp"
#include "exec/runner_executor.hpp"
#include "exec/ssh_launcher.hpp"
#include "lifecycle/managed_machine.hpp"

namespace ov {

namespace {

using namespace std::chrono_literals;

/// The way into the machine around it; nothing when that does not run.
asio::awaitable<std::unique_ptr<Launcher>> enter_outer(VmContext& context, Hypervisors& hypervisors, DeployTarget outer,
                                                       Deadline deadline) {
    if (outer.is_this_host()) co_return make_local_launcher(context.runtime.io.get_executor());
    SshDestination given;
    if (outer.is_managed()) {
        const MachineState now = co_await look_at(context, hypervisors, outer.machine, deadline);
        if (now != MachineState::running) co_return std::unique_ptr<Launcher>();
        given = managed_destination(context, outer);
    } else {
        given = destination_of(outer, context.paths);
    }
    SshDestination destination = co_await resolve_destination(std::move(given), deadline);
    SshContext ssh(context.runtime);
    const NoteSink silent;
    auto connection = co_await connect_once(ssh, destination, ConnectLimits{}, silent, deadline);
    std::unique_ptr<Launcher> launcher = std::make_unique<SshLauncher>(std::move(connection), std::move(destination));
    co_return launcher;
}

asio::awaitable<std::string> state_of(VmContext& context, Hypervisors& hypervisors, DeployTarget target, Deadline deadline) {
    std::unique_ptr<Executor> executor;
    std::string state = "unreachable";
    try {
        const Deadline limit = deadline.child(4s);
        auto launcher = co_await enter_outer(context, hypervisors, *target.outer, limit);
        if (!launcher) co_return std::string("declared");
        for (const NestedJump& jump : target.jumps) launcher = make_nested_launcher(std::move(launcher), jump);
        executor = std::make_unique<RunnerExecutor>(std::move(launcher), context.runtime);
        Command nothing;
        nothing.script = "true";
        nothing.limit = 4s;
        const CommandResult result = co_await executor->run(std::move(nothing), limit);
        if (result.ok()) state = "reachable";
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled) throw;
    }
    if (executor) {
        const Deadline closing = Deadline::unlimited().child(1s);
        co_await executor->close(closing);
    }
    co_return state;
}

asio::awaitable<void> ask_into(VmContext& context, Hypervisors& hypervisors, DeployTarget target, Deadline deadline,
                               NestedStatus* into) {
    into->state = co_await state_of(context, hypervisors, std::move(target), deadline);
}

void collect(const DeployNode& node, const std::string& path, int depth, std::vector<NestedStatus>& rows,
             std::vector<std::string>& paths) {
    for (const auto& [name, child] : node.nested) {
        rows.push_back({name, depth, {}});
        paths.push_back(path + "." + name);
        collect(child, paths.back(), depth + 1, rows, paths);
    }
}

}  // namespace

asio::awaitable<std::vector<NestedStatus>> nested_status(VmContext& context, Hypervisors& hypervisors, DeployTarget target,
                                                         Deadline deadline) {
    std::vector<NestedStatus> rows;
    std::vector<std::string> paths;
    collect(target.node, target.key, 1, rows, paths);
    if (rows.empty()) co_return rows;
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        for (std::size_t i = 0; i < rows.size(); ++i)
            group.spawn(
                ask_into(context, hypervisors, resolve_target(*context.project, paths[i], false), group.deadline(), &rows[i]));
        co_return;
    };
    co_await with_task_group(deadline, body);
    co_return rows;
}

}  // namespace ov
