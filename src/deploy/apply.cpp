#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "async/task_group.hpp"
#include "deploy/build_steps.hpp"
#include "deploy/clock.hpp"
#include "deploy/cloud_init_wait.hpp"
#include "deploy/guest_program.hpp"
#include "deploy/package_repair.hpp"
#include "deploy/reboot.hpp"
#include "deploy/run_identity.hpp"
#include "deploy/shell_block.hpp"
#include "deploy/step_batch.hpp"
#include "deploy/step_equipment.hpp"
#include "ov/deploy.hpp"
#include "ov_config.hpp"
#include "plan/script_text.hpp"

namespace ov {
namespace {

using namespace std::chrono_literals;

/// One deploy on one machine, from the first question to the last record.
class Apply {
public:
    Apply(Machine& machine, DeployRequest request, EmitEvent events)
        : request_(std::move(request)),
          events_(std::move(events)),
          session_(machine, {random_run_dir(), request_.deploy_id, lock_owner(request_.key)}) {}

    asio::awaitable<DeployReport> run(Deadline deadline);

private:
    asio::awaitable<void> make_ready(Deadline deadline);
    asio::awaitable<void> preflight(Deadline deadline);
    asio::awaitable<void> begin(Deadline deadline);
    asio::awaitable<void> steps(Deadline deadline);
    asio::awaitable<void> one_reboot(const PreparedStep& step, Deadline deadline);
    asio::awaitable<void> finish(bool complete, Deadline deadline);
    asio::awaitable<void> commit(std::set<std::string> done, Deadline deadline);

    void list_only_begun_layers();
    void skip(const PreparedStep& step, const std::string& why);
    LedgerJson deploy_record() const;
    /// Steps that run and whose number is above `after`.
    std::vector<const PreparedStep*> to_run(int after) const;

    asio::awaitable<void> send_equipment(std::vector<const PreparedStep*> steps, Command first, Deadline deadline);

    template <class Work>
    asio::awaitable<void> in_stage(WorkPhase stage, Work work) {
        const auto begun = std::chrono::steady_clock::now();
        events_(event::PhaseStarted{stage});
        co_await work();
        events_(event::PhaseFinished{stage, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()});
    }

    DeployRequest request_;
    EmitEvent events_;
    GuestSession session_;
    GuestLedger on_guest_, ledger_;  ///< as it is there, as it should become
    PreparedDeploy plan_;
    DeployReport report_;
    bool uses_run_dir_ = false;
};

asio::awaitable<void> run_into(Executor& executor, Command command, Deadline deadline, CommandResult* into) {
    *into = co_await executor.run(std::move(command), deadline);
}

LedgerJson Apply::deploy_record() const {
    LedgerJson layers = LedgerJson::array();
    for (const InstallPlan& plan : plan_.plans) layers.push_back(plan.layer);
    return {{"deploy_id", request_.deploy_id},
            {"image", request_.target},
            {"target", request_.target},
            {"key", request_.key},
            {"layer", layers},
            {"add_layer", layers},
            {"deployed_at", utc_now()}};
}

std::vector<const PreparedStep*> Apply::to_run(int after) const {
    std::vector<const PreparedStep*> steps;
    for (const PreparedStep& step : plan_.steps)
        if (step.skip.empty() && step.number > after) steps.push_back(&step);
    return steps;
}

void Apply::skip(const PreparedStep& step, const std::string& why) {
    ++report_.skipped;
    events_(event::StepFinished{step.layer, step.index + 1, step.of, StepState::skipped, 0, 0, why});
}

asio::awaitable<void> Apply::make_ready(Deadline deadline) {
    Probe probe = co_await session_.open(deadline);
    report_.facts = probe.facts;
    on_guest_ = std::move(probe.ledger);
    co_await wait_for_cloud_init(session_, request_.cloud_init_limit, deadline, events_);
    if (request_.guest_program) {
        GuestProgramRequest wanted;
        wanted.strategy = *request_.guest_program;
        wanted.version = OV_VERSION;
        report_.guest_command = co_await ensure_guest_program(session_.executor(), std::move(wanted), deadline, events_);
    }
}

asio::awaitable<void> Apply::preflight(Deadline deadline) {
    co_await make_ready(deadline);
    ledger_ = on_guest_;
    ledger_.fold_all(utc_now());
    co_await repair_packages(session_, ledger_, deadline);
    plan_ = prepare_deploy(request_, report_.facts, on_guest_, session_.place().run_dir);
    report_.steps = static_cast<int>(plan_.steps.size());
    co_await run_builders(request_, report_.facts, plan_.steps, deadline, events_);

    LedgerJson record = deploy_record();
    ledger_.supersede(request_.deploy_id, record);
    LedgerJson& known = ledger_.deploys[request_.deploy_id];
    if (known.is_object()) {
        for (const std::string& layer : string_list(record, "layer")) add_to_list(known, "layer", layer);
        for (const char* key : {"add_layer", "key", "image"}) known[key] = record[key];
        known["updated_at"] = record["deployed_at"];
    } else {
        known = std::move(record);
    }
    report_.notes = plan_.notes;
    report_.notes.insert(report_.notes.end(), ledger_.notes.begin(), ledger_.notes.end());
    for (const std::string& held_back : plan_.notes) events_(event::Note{Severity::warning, held_back});
    for (const std::string& note : ledger_.notes) events_(event::Note{Severity::note, note});
}

/// The intents and the deploy record are on the machine before the first step begins.
asio::awaitable<void> Apply::begin(Deadline deadline) {
    const std::vector<const PreparedStep*> steps = to_run(0);
    const std::string now = utc_now();
    std::string intents;
    for (const PreparedStep* step : steps) {
        intents += journal_intent(*step, request_.run, now);
        if (step->again)
            events_(event::Note{Severity::note, fmt::format("layer {}, step {} ({}) may have run in part before; it runs again",
                                                            step->layer, step->index + 1, step->summary)});
    }
    Command record;
    record.label = "recording what is going to be done";
    // What the journals still say need not be written twice.
    const bool said =
        std::ranges::all_of(on_guest_.journals, [this](const auto& entry) { return ledger_.journals.contains(entry.first); });
    LedgerJson global = ledger_.global;
    if (said) ledger_.global = on_guest_.global;
    const std::string save = ledger_commit_script(on_guest_, ledger_, {});
    // ov_save syncs the journal with its own files.
    record.in_runner = true;
    record.script = all_of({script_call("ov_intents", {intents}), save,
                            save.find("ov_save") == std::string::npos ? "ov_sync \"$ov_journal\"\n" : ""});
    co_await send_equipment(steps, std::move(record), deadline);
    on_guest_ = ledger_;
    ledger_.global = std::move(global);
}

asio::awaitable<void> Apply::send_equipment(std::vector<const PreparedStep*> steps, Command first, Deadline deadline) {
    const bool run_dir = co_await equip(session_, std::move(steps), *request_.uploads, std::move(first), deadline, events_);
    uses_run_dir_ = uses_run_dir_ || run_dir;
}

asio::awaitable<void> Apply::steps(Deadline deadline) {
    std::vector<const PreparedStep*> batch;
    const auto flush = [this, &batch, deadline]() -> asio::awaitable<void> {
        if (batch.empty()) co_return;
        const std::vector<const PreparedStep*> steps = std::exchange(batch, {});
        co_await run_batch(session_, steps, *request_.uploads, request_.run, deadline, events_);
        report_.ran += static_cast<int>(steps.size());
    };
    for (const PreparedStep& step : plan_.steps) {
        if (!step.skip.empty()) {
            skip(step, step.skip);
            continue;
        }
        const bool reboot = step.script.action == GuestAction::reboot;
        if (reboot || (!batch.empty() && batch.back()->script.as != step.script.as)) co_await flush();
        if (reboot) {
            co_await one_reboot(step, deadline);
            continue;
        }
        if (!step.archive.empty()) {
            co_await flush();
            co_await ship_build(session_, request_, step, deadline, events_);
        }
        batch.push_back(&step);
    }
    co_await flush();
}

asio::awaitable<void> Apply::one_reboot(const PreparedStep& step, Deadline deadline) {
    if (!session_.machine().reconnect) {
        events_(
            event::Note{Severity::warning, fmt::format("layer {}, step {}: this machine is not rebooted by a deploy; reboot it "
                                                       "yourself before you rely on the steps after it",
                                                       step.layer, step.index + 1)});
        skip(step, "this machine is not rebooted by a deploy");
        co_return;
    }
    events_(event::StepStarted{step.layer, step.index + 1, step.of, std::string(step.step->kind()), step.summary});
    co_await reboot_machine(session_, deadline);
    ++report_.ran;
    const std::string line =
        fmt::format("{{{},\"state\":\"ok\",\"status\":0,\"at\":\"{}\"}}\n", journal_record(step, request_.run), utc_now());
    GuestParts parts = {GuestPart::journal};
    const std::string script = script_call("ov_intents", {line});
    co_await session_.must(RunAs::user, parts, script, "recording the reboot", deadline);
    // The new shells know nothing yet, and the run directory may be gone.
    std::vector<const PreparedStep*> rest = to_run(step.number);
    Command nothing;
    co_await send_equipment(std::move(rest), std::move(nothing), deadline);
    events_(event::StepFinished{step.layer, step.index + 1, step.of, StepState::ok, 0, 0, ""});
}

/// Reads back what the steps recorded and turns it into the machine's records.
asio::awaitable<void> Apply::finish(bool complete, Deadline deadline) {
    CommandResult journal;
    Command write;
    write.script = shell_block_script(session_.facts().shell, session_.facts().home);
    write.record = "\"v\":1,\"layer\":\"\",\"step\":0,\"kind\":\"ShellBlock\"";
    write.label = "the shell's start file";
    if (request_.step_limit) write.limit = *request_.step_limit;
    write.in_runner = true;
    Command read;
    read.in_runner = true;
    read.script = "ov_print_journal\n";
    read.label = "reading the journal";
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        if (complete) group.spawn(run_prepared(session_.executor(), write, write.label, group.deadline()));
        group.spawn(run_into(session_.executor(), read, group.deadline(), &journal));
        co_return;
    };
    co_await with_task_group(deadline, body);

    const std::string now = utc_now();
    ledger_.journals[request_.deploy_id] = parse_journal(journal.out);
    ledger_.fold(request_.deploy_id, now);
    for (std::size_t i = 0; i < plan_.plans.size() && complete; ++i) {
        LedgerJson& record = ledger_.claim(plan_.plans[i].layer, request_.deploy_id, now);
        record["version"] = plan_.plans[i].version;
        record["plan_digest"] = plan_.digests[i];
        record["updated_at"] = now;
        record["ov_version"] = OV_VERSION;
    }
    if (!complete) list_only_begun_layers();
    std::set<std::string> done;
    if (complete) done.insert(request_.deploy_id);
    co_await commit(std::move(done), deadline);
}

/// After a failure the deploy record names the layers that have something on the machine.
void Apply::list_only_begun_layers() {
    LedgerJson& deploy = ledger_.deploys[request_.deploy_id];
    for (const std::string& layer : string_list(deploy, "layer"))
        if (!ledger_.layers.contains(layer)) remove_from_list(deploy, "layer", layer);
    deploy.erase("add_layer");
}

asio::awaitable<void> Apply::commit(std::set<std::string> done, Deadline deadline) {
    Command write;
    write.in_runner = true;
    write.label = "writing the ledger";
    write.last = true;  // what follows on the machine, its pods for one, must not make the run directory anew
    write.script = all_of({ledger_commit_script(on_guest_, ledger_, done), uses_run_dir_ ? "ov_drop_run\n" : ""});
    if (write.script.empty()) co_return;
    std::string what = write.label;
    co_await run_prepared(session_.executor(), std::move(write), std::move(what), deadline);
    on_guest_ = ledger_;
}

asio::awaitable<DeployReport> Apply::run(Deadline deadline) {
    auto asking = [this, deadline]() { return request_.only_prepare ? make_ready(deadline) : preflight(deadline); };
    co_await in_stage(WorkPhase::preflight, asking);
    if (request_.only_prepare) co_return std::move(report_);
    std::optional<Error> failure;
    auto working = [this, deadline]() -> asio::awaitable<void> {
        co_await begin(deadline);
        co_await steps(deadline);
    };
    try {
        co_await in_stage(WorkPhase::steps, working);
    } catch (const Error& error) {
        // Without a connection, or when there is no more time, the journal on the machine stays what tells the truth.
        if (error.code() == Errc::transport_lost || error.code() == Errc::cancelled || deadline.expired()) throw;
        failure = error;
    }
    if (failure) {
        std::optional<std::string> unrecorded;
        try {
            co_await finish(false, deadline);
        } catch (const Error& error) {
            unrecorded = error.what();
        }
        if (unrecorded)
            events_(event::Note{Severity::warning, fmt::format("the ledger keeps its journal only: {}", *unrecorded)});
        throw *failure;
    }
    auto recording = [this, deadline]() { return finish(true, deadline); };
    co_await in_stage(WorkPhase::state, recording);
    co_return std::move(report_);
}

}  // namespace

asio::awaitable<DeployReport> apply_deploy(Machine& machine, DeployRequest request, Deadline deadline, EmitEvent events) {
    if (request.deploy_id.empty() && !request.only_prepare) throw Error(Errc::not_found, nothing_to_deploy);
    Apply apply(machine, std::move(request), std::move(events));
    DeployReport report = co_await apply.run(deadline);
    co_return report;
}

}  // namespace ov
