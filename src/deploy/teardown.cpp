#include <fmt/format.h>

#include <algorithm>

#include "async/task_group.hpp"
#include "deploy/clock.hpp"
#include "deploy/guest_session.hpp"
#include "deploy/run_identity.hpp"
#include "deploy/shell_block.hpp"
#include "deploy/teardown_plan.hpp"
#include "ov/deploy.hpp"

namespace ov {
namespace {

std::string words(const UndoStep& step) {
    std::string text = step.kind + " [";
    for (std::size_t i = 0; i < step.targets.size(); ++i) text += (i == 0 ? "" : " ") + step.targets[i];
    return text + "]";
}

class Teardown {
public:
    Teardown(GuestSession& session, TeardownRequest request, EmitEvent events)
        : session_(session), request_(std::move(request)), events_(std::move(events)) {}

    asio::awaitable<TeardownReport> run(Deadline deadline);

private:
    asio::awaitable<void> one_deploy(std::string id, Deadline deadline);
    /// True when nothing of the record is left to do.
    asio::awaitable<bool> undo(LedgerJson& record, std::string layer, Deadline deadline);
    asio::awaitable<std::vector<bool>> run_all(const std::vector<UndoStep>& steps, std::string layer, Deadline deadline);
    asio::awaitable<void> end_of_ledger(Deadline deadline);
    asio::awaitable<void> commit(std::set<std::string> done, Deadline deadline);
    void hand_over(const LedgerJson& from, const LedgerJson& op);
    void note(Severity level, std::string text);

    GuestSession& session_;
    TeardownRequest request_;
    EmitEvent events_;
    GuestLedger on_guest_, ledger_;
    TeardownReport report_;
};

void Teardown::note(Severity level, std::string text) {
    report_.notes.push_back(text);
    events_(event::Note{level, std::move(text)});
}

/// Runs of equal privilege go through the runner without waiting; a failing operation does not stop the others.
asio::awaitable<std::vector<bool>> Teardown::run_all(const std::vector<UndoStep>& steps, std::string layer, Deadline deadline) {
    std::vector<CommandResult> results(steps.size());
    auto one = [](Executor& executor, Command command, Deadline limit, CommandResult* into) -> asio::awaitable<void> {
        *into = co_await executor.run(std::move(command), limit);
    };
    for (std::size_t from = 0, to = 0; from < steps.size(); from = to) {
        GuestParts parts;
        const RunAs as = steps[from].script.as;
        for (to = from; to < steps.size() && steps[to].script.as == as; ++to) parts |= steps[to].script.library;
        Command library = session_.library_for(as, parts);
        CommandResult prepared;
        auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
            if (!library.script.empty()) group.spawn(one(session_.executor(), library, group.deadline(), &prepared));
            for (std::size_t i = from; i < to; ++i) {
                if (!steps[i].problem.empty()) continue;
                Command command;
                command.script = steps[i].script.text;
                command.as = as;
                command.limit = std::chrono::seconds(1800);
                command.label = fmt::format("layer {}: undoing {}", layer, words(steps[i]));
                group.spawn(one(session_.executor(), std::move(command), group.deadline(), &results[i]));
            }
            co_return;
        };
        co_await with_task_group(deadline, body);
    }
    std::vector<bool> done;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const bool ok = steps[i].problem.empty() && (results[i].ok() || steps[i].script.may_fail);
        if (!steps[i].problem.empty())
            note(Severity::warning, fmt::format("layer {}: {}", layer, steps[i].problem));
        else if (!results[i].ok())
            note(Severity::warning, fmt::format("reverse: {} failed: exit status {}: {}", words(steps[i]), results[i].status,
                                                last_lines(results[i])));
        else if (results[i].out.find("ov: ") != std::string::npos)
            note(Severity::note, last_lines({0, results[i].out, {}}));
        done.push_back(ok);
    }
    co_return done;
}

/// What records share, the last of them must restore. A block knows about its file as it was before (that there was none,
/// that its last line had no end), a layer that made a directory lets others put files there: both go over to those that stay.
void Teardown::hand_over(const LedgerJson& from, const LedgerJson& op) {
    const std::string kind = op.value("kind", "");
    const std::vector<std::string> targets = string_list(op, "targets");
    if (targets.empty()) return;
    const auto inherit = [&](LedgerJson& record) {
        if (&record == &from || !record.is_object() || !record.contains("reverse_ops")) return;
        LedgerJson& ops = record["reverse_ops"];
        bool inside = false, has = false;
        for (LedgerJson& other : ops) {
            const std::vector<std::string> places = string_list(other, "targets");
            has = has || (other.value("kind", "") == kind && places == targets);
            inside =
                inside || std::ranges::any_of(places, [&](const auto& place) { return place.starts_with(targets[0] + "/"); });
            if (kind != "remove-managed-block" || other.value("kind", "") != kind || places != targets) continue;
            for (const char* fact : {"created", "no_final_newline"})
                if (op.contains("extra") && op["extra"].value(fact, "") == "yes") other["extra"][fact] = "yes";
        }
        // The first operation is undone last, when the directory is empty.
        if (kind == "rmdir-if-empty" && inside && !has) ops.insert(ops.begin(), op);
    };
    for (auto& [name, record] : ledger_.layers) inherit(record);
    inherit(ledger_.global);
}

asio::awaitable<bool> Teardown::undo(LedgerJson& record, std::string layer, Deadline deadline) {
    const std::vector<UndoStep> steps =
        undo_steps(record, session_.facts().home, {request_.keep_services, request_.keep_repo_changes});
    if (request_.dry_run) {
        for (const UndoStep& step : steps) report_.would_undo.push_back(fmt::format("{}: {}", layer, words(step)));
        co_return true;
    }
    const std::vector<bool> done = co_await run_all(steps, layer, deadline);
    for (std::size_t i = 0; i < steps.size(); ++i)
        if (done[i] && steps[i].op != std::string::npos) hand_over(record, record["reverse_ops"][steps[i].op]);
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < steps.size(); ++i)
        if (!done[i] && steps[i].op != std::string::npos) left.push_back(steps[i].op);
    if (left.empty()) co_return true;
    // A directory that what is left lives in could not go yet.
    for (std::size_t i = 0; i < steps.size(); ++i)
        if (done[i] && steps[i].kind == "rmdir-if-empty") left.push_back(steps[i].op);
    std::ranges::sort(left);
    LedgerJson ops = LedgerJson::array();
    for (const std::size_t op : left) ops.push_back(record["reverse_ops"][op]);
    record["reverse_ops"] = std::move(ops);
    co_return false;
}

asio::awaitable<void> Teardown::commit(std::set<std::string> done, Deadline deadline) {
    std::string script = ledger_commit_script(on_guest_, ledger_, done);
    const std::set<std::string> needed = ledger_.needed_backups();
    for (const std::string& id : done)
        if (!needed.contains(id)) script += "ov_forget backup/" + id + "\n";
    if (script.empty()) co_return;
    const GuestParts library = {GuestPart::ledger};
    co_await session_.must(RunAs::user, library, script, "writing the ledger", deadline);
    on_guest_ = ledger_;
}

asio::awaitable<void> Teardown::one_deploy(std::string id, Deadline deadline) {
    LedgerJson& deploy = ledger_.deploys[id];
    std::vector<std::string> layers = string_list(deploy, "layer");
    // A record that an older program wrote after a failure does not list the layer that failed.
    for (const auto& [name, record] : ledger_.layers) {
        const auto claims = string_list(record, "deployed_by");
        if (std::ranges::find(claims, id) != claims.end() && std::ranges::find(layers, name) == layers.end())
            layers.push_back(name);
    }
    bool all = true;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
        const auto record = ledger_.layers.find(*layer);
        if (record == ledger_.layers.end()) continue;
        const std::vector<std::string> claims = string_list(record->second, "deployed_by");
        if (std::ranges::any_of(claims, [&](const std::string& claim) { return claim != id; })) {
            remove_from_list(record->second, "deployed_by", id);
            continue;
        }
        events_(event::StepStarted{*layer, 1, 1, "Undo", fmt::format("undo layer {}", *layer)});
        const bool done = co_await undo(record->second, *layer, deadline);
        events_(event::StepFinished{*layer, 1, 1, done ? StepState::ok : StepState::failed, done ? 0 : 1, 0, ""});
        if (done) {
            report_.undone.push_back(*layer);
            ledger_.layers.erase(record);
        } else {
            report_.kept.push_back(*layer);
            all = false;
        }
        if (!request_.dry_run) {
            std::set<std::string> none;
            co_await commit(std::move(none), deadline);
        }
    }
    if (request_.dry_run) co_return;
    if (all)
        ledger_.deploys.erase(id);
    else
        deploy["layer"] = report_.kept;
    std::set<std::string> done;
    if (all) {
        ledger_.journals.erase(id);
        done.insert(id);
    }
    co_await commit(std::move(done), deadline);
}

/// The last layer takes the shells' block and the ledger itself with it.
asio::awaitable<void> Teardown::end_of_ledger(Deadline deadline) {
    bool done = true;
    if (ledger_.global.is_object()) {
        LedgerJson global = ledger_.global;
        done = co_await undo(global, "shells", deadline);
        // ~/.config goes after the tree below it.
    }
    const GuestParts library = {GuestPart::blocks, GuestPart::ledger};
    if (!done) {
        report_.kept.push_back("shells");
        co_return;
    }
    co_await session_.must(RunAs::user, library, shell_block_strip_script(), "the shells' start files", deadline);
    const std::string script = std::string("ov_end_ledger\n") +
                               (ledger_.global.is_object() && ledger_.global.dump().find("rmdir-if-empty") != std::string::npos
                                    ? "rmdir --ignore-fail-on-non-empty -- \"$HOME/.config\"\n"
                                    : "");
    co_await session_.must(RunAs::user, library, script, "removing the empty ledger", deadline);
}

asio::awaitable<TeardownReport> Teardown::run(Deadline deadline) {
    events_(event::PhaseStarted{WorkPhase::preflight});
    Probe probe = co_await session_.open(deadline);
    on_guest_ = std::move(probe.ledger);
    ledger_ = on_guest_;
    ledger_.fold_all(utc_now());
    report_.deploys = ledger_.deploys_of(request_.target, request_.key);
    events_(event::PhaseFinished{WorkPhase::preflight, 0});
    events_(event::PhaseStarted{WorkPhase::steps});
    const std::vector<std::string> newest_first(report_.deploys.rbegin(), report_.deploys.rend());
    for (const std::string& id : newest_first) co_await one_deploy(id, deadline);
    // Also the remains of a run that died before it recorded anything.
    const bool empty = ledger_.exists && ledger_.layers.empty() && ledger_.deploys.empty();
    if (!request_.dry_run && empty) co_await end_of_ledger(deadline);
    events_(event::PhaseFinished{WorkPhase::steps, 0});
    co_return std::move(report_);
}

}  // namespace

asio::awaitable<TeardownReport> teardown_deploy(Executor& executor, TeardownRequest request, Deadline deadline,
                                                EmitEvent events) {
    // The session wants a machine that could come back from a reboot; a teardown never reboots.
    struct Borrowed {
        Machine machine;
        ~Borrowed() { (void)machine.executor.release(); }
    } borrowed;
    borrowed.machine.executor.reset(&executor);
    GuestSession session(borrowed.machine, {request.dry_run ? "" : random_run_dir(), "", lock_owner(request.key)});
    Teardown teardown(session, std::move(request), std::move(events));
    TeardownReport report = co_await teardown.run(deadline);
    co_return report;
}

asio::awaitable<std::vector<DeployedRecord>> deployed_on(Executor& executor, Deadline deadline) {
    Command ask;
    ask.script = ledger_dump_script();
    ask.label = "reading the ledger";
    const CommandResult answer = co_await executor.run(std::move(ask), deadline);
    if (!answer.ok()) throw Error(Errc::io, fmt::format("cannot read the ledger on the machine: {}", last_lines(answer)));
    const GuestLedger ledger = parse_ledger_dump(answer.out);
    std::vector<DeployedRecord> out;
    for (const auto& [id, record] : ledger.deploys)
        out.push_back({id, record.value("target", ""), record.value("key", ""), record.value("deployed_at", ""),
                       string_list(record, "layer"), ledger.journals.contains(id)});
    co_return out;
}

}  // namespace ov
