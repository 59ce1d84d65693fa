#include "lifecycle/machine_connection.hpp"

#include <fmt/format.h>

#include "exec/local_launcher.hpp"
#include "exec/runner_executor.hpp"
#include "exec/ssh_launcher.hpp"
#include "lifecycle/managed_machine.hpp"

namespace ov {
namespace {

/// A guest that boots for the first time makes keys and grows its disk (decisions 14).
constexpr std::chrono::seconds first_boot_budget{300};

/// Connects; gives the slot back as soon as the machine turns out not to be there yet, and takes it again once it is.
asio::awaitable<std::unique_ptr<Launcher>> reach(RunContext& context, SshDestination destination, WorkSlot* slot, EmitEvent emit,
                                                 std::chrono::seconds budget, Deadline deadline) {
    bool waited = false;
    ReadyOptions options;
    // Without a seed of ours the keys may be written after sshd starts; two more tries cover that.
    options.auth_retries = 1;
    options.note = [emit](const std::string& text) { emit(event::Note{Severity::note, text}); };
    options.on_retry = [&](int tries, const Error& last) {
        if (tries == 1) {
            waited = true;
            if (slot != nullptr) slot->release();
            emit(event::PhaseStarted{WorkPhase::ready});
            emit(event::Note{Severity::note, fmt::format("waiting for it: {}", last.what())});
        }
    };
    auto connection = co_await connect_when_ready(context.ssh, destination, options, deadline.child(budget, "connect"));
    if (waited && slot != nullptr) co_await slot->acquire(deadline);
    std::unique_ptr<Launcher> launcher = std::make_unique<SshLauncher>(std::move(connection), std::move(destination));
    co_return launcher;
}

}  // namespace

asio::awaitable<OpenMachine> open_machine(RunContext& context, const MachineJob& job, Deadline deadline) {
    EmitEvent emit = job.emit;
    OpenMachine machine;
    PhaseScope resolve(emit, WorkPhase::resolve);
    // The machine that a nested one is reached through; for all others the machine itself.
    const DeployTarget& target = job.target.outer ? *job.target.outer : job.target;
    const auto finish = [&context, &job, &machine](std::unique_ptr<Launcher> launcher) {
        for (const NestedJump& jump : job.target.jumps) launcher = make_nested_launcher(std::move(launcher), jump);
        machine.executor = std::make_unique<RunnerExecutor>(std::move(launcher), context.runtime);
    };
    if (target.is_this_host()) {
        resolve.finish();
        finish(make_local_launcher(context.runtime.io.get_executor()));
        co_return machine;
    }
    SshDestination given;
    std::string console_log;
    std::chrono::seconds budget = context.request.ssh_timeout;
    if (target.is_managed()) {
        ManagedMachine managed = co_await start_for_deploy(context.vms, context.hypervisors, target, emit, deadline);
        given = std::move(managed.destination);
        console_log = managed.console_log;
        const bool default_budget = budget == FleetRequest{}.ssh_timeout;
        if (default_budget && (managed.first_boot || managed.before != MachineState::running)) budget = first_boot_budget;
    } else {
        given = destination_of(target, context.paths);
    }
    SshDestination destination = co_await resolve_destination(std::move(given), deadline);
    resolve.finish();
    machine.user = destination.user;
    machine.port = destination.port;
    PhaseScope connect(emit, WorkPhase::connect);
    std::exception_ptr failure;
    try {
        auto launcher = co_await reach(context, std::move(destination), job.slot, emit, budget, deadline);
        finish(std::move(launcher));
    } catch (const Error& error) {
        failure = std::current_exception();
        if (error.code() != Errc::cancelled && !console_log.empty()) show_console(console_log, emit);
    }
    if (failure) std::rethrow_exception(failure);
    connect.finish();
    co_return machine;
}

asio::awaitable<void> close_machine(Executor& executor) {
    const Deadline patience = Deadline::unlimited().child(std::chrono::seconds(2));
    co_await executor.close(patience);
}

}  // namespace ov
