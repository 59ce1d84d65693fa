#include "lifecycle/instance_work.hpp"

#include <fmt/format.h>

#include "deploy/cloud_init_wait.hpp"
#include "deploy/guest_session.hpp"
#include "deploy/run_identity.hpp"
#include "lifecycle/machine_connection.hpp"
#include "lifecycle/vm_build.hpp"
#include "lifecycle/vm_create.hpp"
#include "lifecycle/vm_power.hpp"

namespace ov {

namespace {

/// The run's context with this machine as the one that notes and transfers belong to.
VmContext context_for(const RunContext& context, const EmitEvent& emit) {
    VmContext mine = context.vms;
    mine.note = [emit](const std::string& text) { emit(event::Note{Severity::note, text}); };
    mine.progress = [emit](const event::Transfer& transfer) { emit(transfer); };
    return mine;
}

/// Sizes of a node that was named with --from; a node of the machine's own is found without help.
state::VmOverrides sizes_of(const RunContext& context, const DeployNode& node) {
    state::VmOverrides given;
    if (context.request.from_key.empty()) return given;
    given.ram = node.ram;
    given.disk_size = node.disk_size;
    given.cpus = node.cpus.value_or(0);
    return given;
}

/// Waits until the machine lets us in and its first boot is over; nothing is deployed, so nothing is made on it.
asio::awaitable<void> reach_machine(RunContext& context, MachineJob job, Deadline deadline) {
    OpenMachine opened = co_await open_machine(context, job, deadline);
    Machine machine;
    machine.executor = std::move(opened.executor);
    std::exception_ptr failure;
    try {
        SessionPlace place;
        place.owner = lock_owner(job.target.key);
        GuestSession session(machine, std::move(place));
        co_await session.open(deadline);
        co_await wait_for_cloud_init(session, context.request.cloud_init_timeout, deadline, job.emit);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    co_await close_machine(*machine.executor);
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

asio::awaitable<std::string> bring_up(RunContext& context, MachineJob job, Deadline deadline) {
    VmContext vms = context_for(context, job.emit);
    const VmIdentity machine = job.target.machine;
    job.emit(event::PhaseStarted{WorkPhase::resolve});
    const auto start = Deadline::Clock::now();
    BuildOptions build;
    build.given = sizes_of(context, job.target.node);
    const BuildResult disk = co_await build_vm(vms, machine, build, deadline);
    if (!disk.kept) job.emit(event::Note{Severity::note, fmt::format("{}: built on sha256:{:.12}", disk.disk, disk.base_digest)});
    CreateOptions create;
    create.given = build.given;
    create.instances = std::max<long long>(1, context.request.count);
    create.start = !context.request.no_start;
    const CreateResult made = co_await create_vm(vms, context.hypervisors, machine, create, deadline);
    job.emit(event::Note{Severity::note, fmt::format("{}: {}, ssh port {}", made.name,
                                                     made.done == CreateResult::Done::nothing ? "runs already"
                                                     : create.start                           ? "started"
                                                                                              : "created",
                                                     made.ssh_port)});
    const double seconds = std::chrono::duration<double>(Deadline::Clock::now() - start).count();
    job.emit(event::PhaseFinished{WorkPhase::resolve, seconds});
    if (!create.start) co_return std::string();
    // The project was loaded before the machine had a port.
    job.target.node.vm_state = co_await load_vm_state(vms, machine, deadline);
    const PlanInputs inputs = plan_inputs(job.target.node, context.request);
    if (inputs.primary.empty() && inputs.add_layers.empty()) {
        co_await reach_machine(context, std::move(job), deadline);
        co_return std::string();
    }
    std::string text = co_await add_to_machine(context, std::move(job), deadline);
    co_return text;
}

asio::awaitable<std::string> take_down(RunContext& context, MachineJob job, Deadline deadline) {
    VmContext vms = context_for(context, job.emit);
    DestroyOptions options;
    options.force = true;  // what the guest would still write goes with its disk
    options.disk = true;
    const DestroyResult result = co_await destroy_vm(vms, context.hypervisors, job.target.machine, options, deadline);
    job.emit(event::Note{Severity::note,
                         fmt::format("{}: {}", job.target.machine.domain(), result.existed ? "destroyed" : "was not there")});
    co_return std::string();
}

}  // namespace ov
