#include "lifecycle/machine_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "deploy/artifacts.hpp"
#include "lifecycle/check_list.hpp"
#include "lifecycle/deploy_life.hpp"
#include "lifecycle/deploy_purge.hpp"
#include "lifecycle/domain_method.hpp"
#include "lifecycle/machine_connection.hpp"
#include "lifecycle/machine_pods.hpp"
#include "lifecycle/managed_machine.hpp"

namespace ov {

namespace {

/// The state in which there is nothing to ask or to undo on the machine; nothing when it is worth connecting. A dry run and a
/// look start nothing.
asio::awaitable<std::optional<MachineState>> idle_state(RunContext& context, DeployTarget target, bool only_look,
                                                        Deadline deadline) {
    if (!target.is_managed()) co_return std::nullopt;
    const MachineState state = co_await look_at(context.vms, context.hypervisors, target.machine, deadline);
    if (state == MachineState::undefined) co_return state;
    if (only_look && state != MachineState::running) co_return state;
    co_return std::nullopt;
}

std::string idle_text(MachineState state) {
    if (state == MachineState::undefined) return "not defined on this host";
    return fmt::format("the VM is {}", to_string(state));
}

}  // namespace

PlanInputs plan_inputs(const DeployNode& node, const FleetRequest& request) {
    PlanInputs inputs;
    inputs.primary = request.primary_ref.empty() ? node.image : request.primary_ref;
    inputs.add_layers = request.add_layers.empty() ? node.add_layers : request.add_layers;
    inputs.env = node.env;
    inputs.on_host = node.target == "local";
    inputs.skip_incompatible = request.skip_incompatible.value_or(node.install.skip_incompatible.value_or(false));
    inputs.builder_image = request.builder_image.empty() ? node.install.builder_image : request.builder_image;
    return inputs;
}

GateOptions gate_options(const DeployNode& node, const FleetRequest& request) {
    GateOptions gates = request.gates;
    if (!gates.allow_repo_changes) gates.allow_repo_changes = node.install.allow_repo_changes;
    if (!gates.allow_root_tasks) gates.allow_root_tasks = node.install.allow_root_tasks;
    if (!gates.with_services) gates.with_services = node.install.with_services;
    gates.shared_machine = node.target == "local";
    return gates;
}

namespace {

std::vector<Check> chosen_checks(RunContext& context, const MachineJob& job) {
    std::vector<std::string> notes;
    auto checks = checks_of(*context.project, job.target, plan_inputs(job.target.node, context.request),
                            {context.request.check_section, context.request.check_verbs}, notes);
    for (std::string& note : notes) job.emit(event::Note{Severity::warning, std::move(note)});
    return checks;
}

/// Throws Error{checks_failed} when a check did not hold.
asio::awaitable<void> check_machine(RunContext& context, const MachineJob& job, Executor& executor, const OpenMachine& opened,
                                    std::vector<Check> checks, Deadline deadline) {
    PhaseScope phase(job.emit, WorkPhase::checks);
    CheckRequest request;
    request.checks = std::move(checks);
    request.variables = check_variables(job.target, opened.port, opened.user);
    request.directory = context.project->directory;
    if (job.target.is_managed() && !job.target.outer) {
        RunContext* shared = &context;
        request.domain = [shared, machine = job.target.machine](Check check, Deadline limit) {
            return run_domain_method(shared->vms, shared->hypervisors, machine, std::move(check), shared->project->directory,
                                     limit);
        };
        const auto on_display = [](const Check& check) { return check.verb == "spice" || check.verb == "vnc"; };
        if (std::ranges::any_of(request.checks, on_display))
            request.displays = co_await display_types(context.vms, context.hypervisors, job.target.machine, deadline);
    }
    const auto results = co_await run_checks(executor, context.runtime, std::move(request), deadline, job.emit);
    const auto bad = std::ranges::count(results, CheckStatus::fail, &CheckResult::status);
    if (bad > 0) throw Error(Errc::checks_failed, fmt::format("{} check{} failed", bad, bad == 1 ? "" : "s"));
    phase.finish();
}

/// What the layers give back, with the values that their texts may name.
std::vector<ArtifactRequest> artifacts_of(const RunContext& context, const DeployTarget& target, const PlanInputs& inputs,
                                          const std::map<std::string, std::map<std::string, std::string>>& secrets) {
    std::vector<ArtifactRequest> requests;
    for (const Layer* layer : context.plans.layers_of(inputs)) {
        if (layer->artifacts.empty()) continue;
        ArtifactRequest request;
        request.layer = layer->name;
        request.artifacts = layer->artifacts;
        request.home = context.paths.home;
        request.getenv = [](const char* name) -> const char* { return std::getenv(name); };
        for (const auto& [owner, values] : secrets) request.variables.insert(values.begin(), values.end());
        for (const std::string& line : inputs.env)
            if (const std::size_t equals = line.find('='); equals != std::string::npos)
                request.variables[line.substr(0, equals)] = line.substr(equals + 1);
        std::string name = target.ledger_name();
        std::ranges::replace_if(
            name, [](char c) { return c == ':' || c == '.' || c == '/'; }, '-');
        request.variables["deploy_name"] = name;
        requests.push_back(std::move(request));
    }
    return requests;
}

asio::awaitable<void> fetch_all(Executor& executor, const std::vector<ArtifactRequest>& requests, Deadline deadline,
                                const EmitEvent& emit) {
    if (requests.empty()) co_return;
    PhaseScope phase(emit, WorkPhase::artifacts);
    for (const ArtifactRequest& request : requests) co_await fetch_artifacts(executor, request, deadline, emit);
    phase.finish();
}

/// The strategy by which `ov` gets into the machine, where a nested pod or the author wants one there (decisions 49).
std::optional<std::string> guest_program_of(const DeployTarget& target) {
    std::string strategy = "auto";
    if (target.entity.spec && target.entity.spec->cloud_init && !target.entity.spec->cloud_init->ov_install.strategy.empty())
        strategy = target.entity.spec->cloud_init->ov_install.strategy;
    if (target.is_local() || target.outer) return std::nullopt;
    if (strategy == "url" || strategy == "skip") return strategy;
    for (const auto& [name, child] : target.node.nested)
        if ((child.target.empty() || child.target == "pod" || child.target == "container") && !child.image.empty())
            return strategy;
    return std::nullopt;
}

/// How an apply gets a new connection after a reboot.
std::function<asio::awaitable<std::unique_ptr<Executor>>(Deadline)> reconnector(RunContext& context, MachineJob job) {
    RunContext* shared = &context;
    return [shared, job = std::move(job)](Deadline deadline) -> asio::awaitable<std::unique_ptr<Executor>> {
        OpenMachine again = co_await open_machine(*shared, job, deadline);
        co_return std::move(again.executor);
    };
}

}  // namespace

asio::awaitable<std::string> test_machine(RunContext& context, MachineJob job, Deadline deadline) {
    std::vector<Check> checks = chosen_checks(context, job);
    if (checks.empty()) {
        const bool chosen = !context.request.check_section.empty() || !context.request.check_verbs.empty();
        job.emit(event::Note{Severity::note, chosen ? "No checks to run after filtering." : "it has no checks"});
        co_return std::string();
    }
    // Looking at a machine does not start it.
    const std::optional<MachineState> idle = co_await idle_state(context, job.target, true, deadline);
    if (idle && *idle != MachineState::undefined)
        throw Error(Errc::unreachable,
                    fmt::format("deploy {}: {}; run: ov start {}", job.target.key, idle_text(*idle), job.target.key));
    OpenMachine opened = co_await open_machine(context, job, deadline);
    std::exception_ptr failure;
    try {
        co_await check_machine(context, job, *opened.executor, opened, std::move(checks), deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    co_await close_machine(*opened.executor);
    if (failure) std::rethrow_exception(failure);
    co_return std::string();
}

asio::awaitable<std::string> add_to_machine(RunContext& context, MachineJob job, Deadline deadline) {
    if (is_lone_pod(context, job.target)) {
        auto text = co_await add_lone_pod(context, std::move(job), deadline);
        co_return text;
    }
    const PlanInputs inputs = plan_inputs(job.target.node, context.request);
    DeployRequest request;
    request.deploy_id = context.plans.deploy_id_of(job.target.key, inputs);
    request.target = job.target.ledger_name();
    request.key = job.target.key;
    request.run = context.run;
    request.plans = context.plans.plans_for(inputs);
    request.uploads = context.uploads;
    request.builders = context.builders;
    request.gates = gate_options(job.target.node, context.request);
    request.skip_unchanged = context.request.skip_unchanged;
    request.guest_program = guest_program_of(job.target);
    request.step_limit = context.request.step_timeout;
    request.cloud_init_limit = context.request.cloud_init_timeout;
    RunContext* shared = &context;
    auto look_up = [shared, inputs] { return shared->plans.secrets_of(inputs, shared->secrets); };
    request.secrets = co_await context.runtime.pool.run(deadline, std::move(look_up));
    const std::vector<ArtifactRequest> artifacts = artifacts_of(context, job.target, inputs, request.secrets);
    const bool verify = context.request.verify.value_or(job.target.node.install.verify.value_or(false));
    std::vector<Check> checks;
    if (verify) checks = chosen_checks(context, job);
    PodRun pods{job.target.key, {}, {}, true};
    const bool with_pods = !context.request.node_only && !job.target.outer && !job.target.is_local();
    if (with_pods) pods.children = pod_children(job.target.node);
    request.only_prepare = request.deploy_id.empty() && !pods.children.empty();
    Machine machine;
    OpenMachine opened = co_await open_machine(context, job, deadline);
    machine.executor = std::move(opened.executor);
    if (!job.target.is_this_host()) machine.reconnect = reconnector(context, job);
    const std::chrono::seconds patience = context.request.reboot_timeout;
    machine.reboot_limits = {std::min(patience / 2, machine.reboot_limits.down), patience};
    std::exception_ptr failure;
    try {
        const DeployReport report = co_await apply_deploy(machine, std::move(request), deadline, job.emit);
        co_await fetch_all(*machine.executor, artifacts, deadline, job.emit);
        pods.program = report.guest_command;
        if (with_pods) co_await add_pods(context, *machine.executor, std::move(pods), deadline, job.emit);
        if (verify) co_await check_machine(context, job, *machine.executor, opened, std::move(checks), deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (machine.executor) co_await close_machine(*machine.executor);
    if (failure) std::rethrow_exception(failure);
    co_return std::string();
}

asio::awaitable<std::string> update_machine(RunContext& context, MachineJob job, Deadline deadline) {
    if (job.target.is_managed() && !job.target.outer && not_disposable(job.target.node).empty()) {
        RebuildOptions options;
        options.attended = false;
        co_await rebuild_vm(context.vms, context.hypervisors, job.target, options, deadline);
    }
    auto text = co_await add_to_machine(context, std::move(job), deadline);
    co_return text;
}

namespace {

asio::awaitable<std::string> undo_on_machine(RunContext& context, MachineJob job, Deadline deadline) {
    if (is_lone_pod(context, job.target)) {
        auto text = co_await del_lone_pod(context, std::move(job), deadline);
        co_return text;
    }
    TeardownRequest request;
    request.target = job.target.ledger_name();
    // `vm:<entity>` without a node of its own means everything that was deployed to the machine (decisions 53).
    request.key =
        job.target.key.starts_with("vm:") && !context.project->deploys.contains(job.target.key) ? std::string() : job.target.key;
    request.keep_services = context.request.keep_services;
    request.keep_repo_changes = context.request.keep_repo_changes;
    request.dry_run = context.request.dry_run;
    const std::optional<MachineState> idle = co_await idle_state(context, job.target, context.request.dry_run, deadline);
    if (idle) {
        job.emit(event::Note{Severity::note, fmt::format("{}: {}", job.target.ledger_name(), idle_text(*idle))});
        co_return std::string();
    }
    OpenMachine opened = co_await open_machine(context, job, deadline);
    const auto executor = std::move(opened.executor);
    std::exception_ptr failure;
    TeardownReport report;
    std::string lines;
    try {
        if (!job.target.outer && !job.target.is_local()) {
            PodRemoval removal{request.key, {}, context.request.dry_run};
            lines = co_await del_pods(context, *executor, std::move(removal), deadline, job.emit);
        }
        report = co_await teardown_deploy(*executor, std::move(request), deadline, job.emit);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    co_await close_machine(*executor);
    if (failure) std::rethrow_exception(failure);
    if (report.deploys.empty())
        job.emit(event::Note{Severity::note, fmt::format("No {}deploy ledger entry for {} (already torn down?)",
                                                         job.target.is_local() ? "" : "VM ", job.target.ledger_name())});
    if (!report.kept.empty()) {
        std::string layers;
        for (const std::string& layer : report.kept) layers += (layers.empty() ? "" : ", ") + layer;
        throw Error(Errc::step_failed,
                    fmt::format("could not undo everything of: {}; their records are kept, run it again", layers));
    }
    for (const std::string& line : report.would_undo) lines += line + "\n";
    if (context.request.dry_run) co_return lines;
    for (const std::string& layer : report.undone) lines += fmt::format("layer {}\n", layer);
    if (lines.empty() && !report.deploys.empty()) lines = "its record; its layers belong to others too\n";
    co_return lines;
}

}  // namespace

asio::awaitable<std::string> del_from_machine(RunContext& context, MachineJob job, Deadline deadline) {
    const std::string key = job.target.key;
    const VmIdentity machine = job.target.machine;
    VmContext vms = context.vms;
    vms.note = [emit = job.emit](const std::string& text) { emit(event::Note{Severity::note, text}); };
    std::string lines = co_await undo_on_machine(context, std::move(job), deadline);
    if (context.request.purge && !context.request.dry_run) co_await purge_deploy(vms, key, machine, deadline);
    co_return lines;
}

asio::awaitable<std::string> status_of_machine(RunContext& context, MachineJob job, Deadline deadline) {
    const std::optional<MachineState> idle = co_await idle_state(context, job.target, true, deadline);
    if (idle) co_return idle_text(*idle);
    OpenMachine opened = co_await open_machine(context, job, deadline);
    const auto executor = std::move(opened.executor);
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

}  // namespace ov
