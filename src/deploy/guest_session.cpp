#include "deploy/guest_session.hpp"

#include <fmt/format.h>

#include "async/task_group.hpp"
#include "base/text.hpp"
#include "plan/script_text.hpp"

namespace ov {
namespace {

const GuestParts session_parts = {GuestPart::journal, GuestPart::files, GuestPart::blocks, GuestPart::ledger};
constexpr int busy_status = 75;

/// Stores a command's result where the caller looks for it after the group has been joined.
asio::awaitable<void> run_into(Executor& executor, Command command, Deadline deadline, CommandResult* into) {
    *into = co_await executor.run(std::move(command), deadline);
}

Command command(std::string script, RunAs as, std::string label, bool persistent = false) {
    Command out;
    out.script = std::move(script);
    out.as = as;
    out.label = std::move(label);
    out.persistent = persistent;
    return out;
}

}  // namespace

std::string last_lines(const CommandResult& result, std::size_t lines) {
    const bool silent = result.err.find_first_not_of(" \n") == std::string::npos;
    return last_lines(std::string_view(silent ? result.out : result.err), lines);
}

std::string exit_text(const CommandResult& result, std::size_t lines) {
    const std::string words = last_lines(result, lines);
    return fmt::format("exit status {}{}", result.status, words.empty() ? ", without a word" : ": " + words);
}

asio::awaitable<CommandResult> GuestSession::start(Deadline deadline, std::string* answer) {
    has_ = {};
    has_[0] |= session_parts;
    CommandResult opened, probed;
    const Command library =
        command(guest_library(session_parts) + script_call("ov_open", {place_.run_dir, place_.deploy_id, place_.owner}),
                RunAs::user, "opening the ledger", true);
    Command probe = command(probe_script(), RunAs::user, "asking the machine");
    probe.in_runner = true;
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        group.spawn(run_into(executor(), library, group.deadline(), &opened));
        group.spawn(run_into(executor(), probe, group.deadline(), &probed));
        co_return;
    };
    co_await with_task_group(deadline, body);
    if (opened.status == busy_status) throw Error(Errc::busy, last_lines(opened));
    if (opened.status != 0)
        throw Error(Errc::io, fmt::format("cannot prepare the ledger on the machine: {}", last_lines(opened)));
    if (probed.status != 0) throw Error(Errc::io, fmt::format("cannot read the ledger on the machine: {}", last_lines(probed)));
    *answer = std::move(probed.out);
    co_return opened;
}

asio::awaitable<Probe> GuestSession::open(Deadline deadline) {
    std::string answer;
    co_await start(deadline, &answer);
    Probe probe = parse_probe(answer);
    facts_ = probe.facts;
    co_return probe;
}

asio::awaitable<void> GuestSession::reopen(Deadline deadline) {
    std::string answer;
    co_await start(deadline, &answer);
    facts_ = parse_probe(answer).facts;
}

Command GuestSession::library_for(RunAs as, GuestParts parts) {
    GuestParts& has = has_[as == RunAs::root ? 1 : 0];
    const bool first = has.empty();
    const GuestParts missing = parts.without(has);
    Command out = command({}, as, "sending the library", true);
    if (missing.empty() && !first) return out;
    has |= missing;
    out.script = guest_library(missing);
    if (first) {
        const GuestParts base = {GuestPart::shell};
        has |= base;
        out.script += guest_library(base.without(missing));
        out.script += "umask 022\n" +
                      script_call("ov_paths", {place_.run_dir, facts_.home + "/.config/overthink/installed", place_.deploy_id}) +
                      "ov_mark_root\n";
    }
    return out;
}

asio::awaitable<CommandResult> GuestSession::ask(RunAs as, GuestParts parts, std::string script, std::string label,
                                                 Deadline deadline) {
    CommandResult prepared, result;
    const Command library = library_for(as, parts);
    const Command work = command(std::move(script), as, std::move(label));
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        if (!library.script.empty()) group.spawn(run_into(executor(), library, group.deadline(), &prepared));
        group.spawn(run_into(executor(), work, group.deadline(), &result));
        co_return;
    };
    co_await with_task_group(deadline, body);
    co_return result;
}

asio::awaitable<std::string> GuestSession::must(RunAs as, GuestParts parts, std::string script, std::string label,
                                                Deadline deadline) {
    CommandResult result = co_await ask(as, parts, std::move(script), label, deadline);
    if (!result.ok()) throw Error(Errc::step_failed, fmt::format("{}: {}", label, exit_text(result)));
    co_return std::move(result.out);
}

}  // namespace ov
