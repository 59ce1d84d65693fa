#include "lifecycle/machine_pods.hpp"

#include <fmt/format.h>

#include "lifecycle/machine_connection.hpp"

namespace ov {
namespace {

std::string child_key(const DeployTarget& target) {
    return target.key.substr(target.key.rfind('.') + 1);
}

MachineJob outer_job(const MachineJob& job) {
    MachineJob outer{*job.target.outer, job.slot, job.emit};
    return outer;
}

}  // namespace

bool is_lone_pod(const RunContext& context, const DeployTarget& target) {
    return target.outer && target.jumps.size() == 1 && !target.pod_image.empty() && target.node.add_layers.empty() &&
           context.request.add_layers.empty() && context.request.primary_ref.empty();
}

asio::awaitable<void> add_pods(RunContext& context, Executor& executor, PodRun run, Deadline deadline, EmitEvent emit) {
    PhaseScope phase(emit, WorkPhase::pods);
    co_await bring_up_pods(executor, context.shelf, context.runtime, std::move(run), deadline, emit);
    phase.finish();
}

asio::awaitable<std::string> add_lone_pod(RunContext& context, MachineJob job, Deadline deadline) {
    PodRun run{job.target.outer->key, {pod_child(child_key(job.target), job.target.pod_image, job.target.node)}, {}, false};
    const MachineJob outer = outer_job(job);
    const OpenMachine opened = co_await open_machine(context, outer, deadline);
    std::exception_ptr failure;
    try {
        co_await add_pods(context, *opened.executor, std::move(run), deadline, job.emit);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    co_await close_machine(*opened.executor);
    if (failure) std::rethrow_exception(failure);
    co_return std::string();
}

asio::awaitable<std::string> del_pods(RunContext& context, Executor& executor, PodRemoval removal, Deadline deadline,
                                      EmitEvent emit) {
    PhaseScope phase(emit, WorkPhase::pods);
    const bool dry_run = removal.dry_run;
    const auto names = co_await take_down_pods(executor, context.runtime, std::move(removal), deadline, emit);
    phase.finish();
    std::string lines;
    for (const std::string& name : names) lines += fmt::format("pod {}{}\n", name, dry_run ? ": stop and remove" : "");
    co_return lines;
}

asio::awaitable<std::string> del_lone_pod(RunContext& context, MachineJob job, Deadline deadline) {
    const MachineJob outer = outer_job(job);
    const OpenMachine opened = co_await open_machine(context, outer, deadline);
    std::exception_ptr failure;
    std::string lines;
    try {
        PodRemoval removal{job.target.outer->key, child_key(job.target), context.request.dry_run};
        lines = co_await del_pods(context, *opened.executor, std::move(removal), deadline, job.emit);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    co_await close_machine(*opened.executor);
    if (failure) std::rethrow_exception(failure);
    co_return lines;
}

}  // namespace ov
