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
    void note(Severity level, std::string text);

    GuestSession& session_;
    TeardownRequest request_;
    EmitEvent events_;
    GuestLedger on_guest_, ledger_;
    TeardownReport report_;
    std::vector<std::size_t> kept_dirs_;  ///< operations of the record at work whose directory is still in use
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
            note(Severity::warning, fmt::format("reverse: {} failed: {}", words(steps[i]), exit_text(results[i])));
        else if (results[i].out.find("ov: ") != std::string::npos)
            note(Severity::note, last_lines({0, results[i].out, {}}));
        done.push_back(ok);
        if (results[i].out.starts_with("ov-kept ")) kept_dirs_.push_back(steps[i].op);
    }
    co_return done;
}

asio::awaitable<bool> Teardown::undo(LedgerJson& record, std::string layer, Deadline deadline) {
    const std::vector<UndoStep> steps =
        undo_steps(record, session_.facts().home, {request_.keep_services, request_.keep_repo_changes});
    if (request_.dry_run) {
        for (const UndoStep& step : steps) report_.would_undo.push_back(fmt::format("{}: {}", layer, words(step)));
        co_return true;
    }
    kept_dirs_.clear();
    const std::vector<bool> done = co_await run_all(steps, layer, deadline);
    for (const std::size_t op : kept_dirs_) {
        if (op == std::string::npos || &record == &ledger_.global) continue;
        if (ledger_.global.is_null()) ledger_.global = LedgerJson::object();
        OpMerger(ledger_.global).add(record["reverse_ops"][op], {});
    }
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

/// The last layer takes the shells' block, the directories that layers shared, and the ledger itself with it.
asio::awaitable<void> Teardown::end_of_ledger(Deadline deadline) {
    const std::string home = session_.facts().home, tree = home + "/.config/overthink";
    LedgerJson files = LedgerJson::object();
    std::vector<ReverseOp> dirs;
    files["reverse_ops"] = LedgerJson::array();
    if (ledger_.global.is_object() && ledger_.global.contains("reverse_ops"))
        for (const LedgerJson& op : ledger_.global["reverse_ops"]) {
            if (op.value("kind", "") == "rmdir-if-empty")
                dirs.push_back(reverse_op_of(op));
            else
                files["reverse_ops"].push_back(op);
        }
    if (!co_await undo(files, "shells", deadline)) {
        report_.kept.push_back("shells");
        co_return;
    }
    const GuestParts library = {GuestPart::blocks, GuestPart::ledger, GuestPart::undo};
    co_await session_.must(RunAs::user, library, shell_block_strip_script(), "the shells' start files", deadline);
    // Deepest first; the directories that hold the ledger go after it.
    std::ranges::sort(dirs, std::greater{},
                      [](const ReverseOp& op) { return op.targets.empty() ? 0 : op.targets.front().size(); });
    std::string after = "ov_end_ledger\n";
    for (const ReverseOp& op : dirs) {
        const UndoScript script = render_undo(op, home);
        const bool holds_ledger = !op.targets.empty() && tree.starts_with(op.targets.front() + "/");
        if (holds_ledger)
            after += script.text;
        else
            co_await session_.must(script.as, library, script.text, "removing empty directories", deadline);
    }
    co_await session_.must(RunAs::user, library, after, "removing the empty ledger", deadline);
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
