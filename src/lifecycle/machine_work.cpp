#include "lifecycle/machine_work.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "exec/runner_executor.hpp"
#include "exec/ssh_launcher.hpp"
#include "ov/plan_output.hpp"

namespace ov {

namespace {

/// Tells when a phase begins and ends; one that is left by an error is not finished.
class Phase {
public:
    Phase(EmitEvent& emit, WorkPhase phase) : emit_(emit), phase_(phase), start_(Deadline::Clock::now()) {
        emit_(event::PhaseStarted{phase_});
    }
    void finish() { emit_(event::PhaseFinished{phase_, std::chrono::duration<double>(Deadline::Clock::now() - start_).count()}); }

private:
    EmitEvent& emit_;
    WorkPhase phase_;
    Deadline::Clock::time_point start_;
};

/// Connects; gives the slot back as soon as the machine turns out not to be there yet, and takes it again once it is.
asio::awaitable<std::unique_ptr<Executor>> reach(RunContext& context, SshDestination destination, WorkSlot* slot, EmitEvent emit,
                                                 Deadline deadline) {
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
    auto connection =
        co_await connect_when_ready(context.ssh, destination, options, deadline.child(context.request.ssh_timeout, "connect"));
    if (waited && slot != nullptr) co_await slot->acquire(deadline);
    auto launcher = std::make_unique<SshLauncher>(std::move(connection), std::move(destination));
    std::unique_ptr<Executor> executor = std::make_unique<RunnerExecutor>(std::move(launcher), context.runtime);
    co_return executor;
}

asio::awaitable<std::unique_ptr<Executor>> open_machine(RunContext& context, const MachineJob& job, Deadline deadline) {
    EmitEvent emit = job.emit;
    Phase resolve(emit, WorkPhase::resolve);
    SshDestination given = destination_of(job.target, context.paths);
    SshDestination destination = co_await resolve_destination(std::move(given), deadline);
    resolve.finish();
    Phase connect(emit, WorkPhase::connect);
    auto executor = co_await reach(context, std::move(destination), job.slot, emit, deadline);
    connect.finish();
    co_return executor;
}

/// Closing is bounded by itself: also a cancelled run leaves no runner behind.
asio::awaitable<void> close_machine(Executor& executor) {
    const Deadline patience = Deadline::unlimited().child(std::chrono::seconds(2));
    co_await executor.close(patience);
}

}  // namespace

PlanInputs plan_inputs(const DeployNode& node, const FleetRequest& request) {
    PlanInputs inputs;
    inputs.primary = request.primary_ref.empty() ? node.image : request.primary_ref;
    inputs.add_layers = request.add_layers.empty() ? node.add_layers : request.add_layers;
    inputs.env = node.env;
    inputs.skip_incompatible = request.skip_incompatible.value_or(node.install.skip_incompatible.value_or(false));
    inputs.builder_image = request.builder_image.empty() ? node.install.builder_image : request.builder_image;
    return inputs;
}

GateOptions gate_options(const DeployNode& node, const FleetRequest& request) {
    GateOptions gates = request.gates;
    if (!gates.allow_repo_changes) gates.allow_repo_changes = node.install.allow_repo_changes;
    if (!gates.allow_root_tasks) gates.allow_root_tasks = node.install.allow_root_tasks;
    if (!gates.with_services) gates.with_services = node.install.with_services;
    return gates;
}

asio::awaitable<std::string> add_to_machine(RunContext& context, MachineJob job, Deadline deadline) {
    const PlanInputs inputs = plan_inputs(job.target.node, context.request);
    DeployRequest request;
    request.deploy_id = context.plans.deploy_id_of(job.target.key, inputs);
    request.target = job.target.ledger_name();
    request.key = job.target.key;
    request.run = context.run;
    request.plans = context.plans.plans_for(inputs);
    request.uploads = context.uploads;
    request.gates = gate_options(job.target.node, context.request);
    request.skip_unchanged = context.request.skip_unchanged;
    request.secrets = context.plans.secrets_of(inputs);
    Machine machine;
    machine.executor = co_await open_machine(context, job, deadline);
    RunContext* shared = &context;
    machine.reconnect = [shared, job](Deadline again) { return open_machine(*shared, job, again); };
    std::exception_ptr failure;
    try {
        const DeployReport report = co_await apply_deploy(machine, std::move(request), deadline, job.emit);
        for (const std::string& note : report.notes) job.emit(event::Note{Severity::note, note});
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (machine.executor) co_await close_machine(*machine.executor);
    if (failure) std::rethrow_exception(failure);
    co_return std::string();
}

asio::awaitable<std::string> del_from_machine(RunContext& context, MachineJob job, Deadline deadline) {
    TeardownRequest request;
    request.target = job.target.ledger_name();
    // `vm:<entity>` without a node of its own means everything that was deployed to the machine (decisions 53).
    request.key =
        job.target.key.starts_with("vm:") && !context.project->deploys.contains(job.target.key) ? std::string() : job.target.key;
    request.keep_services = context.request.keep_services;
    request.keep_repo_changes = context.request.keep_repo_changes;
    request.dry_run = context.request.dry_run;
    auto executor = co_await open_machine(context, job, deadline);
    std::exception_ptr failure;
    TeardownReport report;
    try {
        report = co_await teardown_deploy(*executor, std::move(request), deadline, job.emit);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    co_await close_machine(*executor);
    if (failure) std::rethrow_exception(failure);
    for (const std::string& note : report.notes) job.emit(event::Note{Severity::note, note});
    if (report.deploys.empty())
        job.emit(event::Note{Severity::note,
                             fmt::format("No VM deploy ledger entry for {} (already torn down?)", job.target.ledger_name())});
    if (!report.kept.empty()) {
        std::string layers;
        for (const std::string& layer : report.kept) layers += (layers.empty() ? "" : ", ") + layer;
        throw Error(Errc::step_failed,
                    fmt::format("could not undo everything of: {}; their records are kept, run it again", layers));
    }
    std::string lines;
    for (const std::string& line : report.would_undo) lines += line + "\n";
    co_return lines;
}

asio::awaitable<std::string> status_of_machine(RunContext& context, MachineJob job, Deadline deadline) {
    auto executor = co_await open_machine(context, job, deadline);
    std::exception_ptr failure;
    std::vector<DeployedRecord> records;
    try {
        records = co_await deployed_on(*executor, deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    co_await close_machine(*executor);
    if (failure) std::rethrow_exception(failure);
    std::string text;
    for (const DeployedRecord& record : records) {
        if (record.target != job.target.ledger_name()) continue;
        std::string layers;
        for (const std::string& layer : record.layers) layers += (layers.empty() ? "" : ", ") + layer;
        text += fmt::format("{}{} {}", text.empty() ? "" : "; ", record.unfinished ? "unfinished:" : "deployed:", layers);
    }
    co_return text.empty() ? std::string("nothing deployed") : text;
}

std::string plans_without_machine(RunContext& context, const DeployTarget& target) {
    if (target.entity.source_distro.empty())
        throw Error(Errc::unsupported,
                    fmt::format("deploy {}: a dry run asks no machine, so it must be told the distribution: set "
                                "`source.distro` of VM entity {} (for example debian:12)",
                                target.key, target.machine.entity));
    const PlanInputs inputs = plan_inputs(target.node, context.request);
    CompileContext compile_for;
    compile_for.distro = distro_from_tag(target.entity.source_distro);
    compile_for.user = target.entity.ssh.user;
    compile_for.deploy_id = context.plans.deploy_id_of(target.key, inputs);
    nlohmann::json all = nlohmann::json::array();
    for (const InstallPlan& plan : context.plans.compile_all(inputs, compile_for)) all.push_back(to_json(plan));
    return all.dump();
}

}  // namespace ov
