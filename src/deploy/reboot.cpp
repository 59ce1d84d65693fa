#include "deploy/reboot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/event.hpp"

namespace ov {
namespace {

using namespace std::chrono_literals;

constexpr auto pause_between_tries = 3s;
constexpr int inhibited_status = 76;
/// What the command that was to reboot said; it runs when nobody listens any more.
constexpr const char* reboot_log = "/run/ov-reboot.log";
constexpr auto one_try = 30s;

bool is_uuid(std::string_view text) {
    return text.size() == 36 &&
           std::ranges::all_of(text, [](char c) { return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Never fails but for what waiting cannot heal: no answer is an empty id.
asio::awaitable<std::string> boot_id_of_fresh_connection(Machine& machine, Deadline deadline) {
    std::optional<Error> fatal;
    try {
        machine.executor = co_await machine.reconnect(deadline);
        Command ask;
        ask.script = "IFS= read -r id </proc/sys/kernel/random/boot_id && printf %s \"$id\"";
        ask.label = "boot id";
        const CommandResult answer = co_await machine.executor->run(std::move(ask), deadline);
        if (answer.ok() && is_uuid(answer.out)) co_return answer.out;
    } catch (const Error& error) {
        if (error.code() == Errc::host_key) fatal = error.within("it came back as another machine after the reboot");
        if (error.code() == Errc::cancelled) fatal = error;
    }
    if (fatal) throw *fatal;
    co_return std::string();
}

}  // namespace

namespace {

/// Root may reboot whatever somebody holds a lock against; a deploy does not.
asio::awaitable<void> order_reboot(GuestSession& session, Deadline deadline) {
    const GuestParts journal = {GuestPart::journal};
    const std::string script = fmt::format(
        "ov_locks=$(systemd-inhibit --list --no-legend 2>/dev/null | awk '/shutdown/ && $NF == \"block\"')\n"
        "if [ -n \"$ov_locks\" ]; then printf '%s\\n' \"$ov_locks\" >&2; exit {0}; fi\n"
        "ov_sync \"$ov_journal\"\n"
        "setsid bash -c 'sleep 1; systemctl reboot || reboot' </dev/null >{1} 2>&1 &\n",
        inhibited_status, reboot_log);
    const CommandResult ordered = co_await session.ask(RunAs::root, journal, script, "reboot", deadline);
    if (ordered.status == inhibited_status)
        throw Error(Errc::busy, fmt::format("the reboot is inhibited on the machine: {}", last_lines(ordered)));
    if (!ordered.ok()) throw Error(Errc::step_failed, fmt::format("reboot: {}", exit_text(ordered)));
}

/// Why it is still there, in its own words.
asio::awaitable<std::string> words_of_reboot(Machine& machine, Deadline deadline) {
    Command ask;
    ask.as = RunAs::root;
    ask.script = fmt::format("cat {} 2>/dev/null\n", reboot_log);
    ask.label = "what the reboot said";
    std::string words;
    try {
        const CommandResult answer = co_await machine.executor->run(std::move(ask), deadline);
        words = last_lines(answer, 3);
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled) throw;
    }
    co_return words.empty() ? words : ": " + words;
}

}  // namespace

asio::awaitable<void> reboot_machine(GuestSession& session, Deadline deadline) {
    Machine& machine = session.machine();
    const std::string before = session.facts().boot_id;
    if (!is_uuid(before)) throw Error(Errc::unsupported, "the machine does not tell its boot id: a reboot could not be proven");
    const GuestParts journal = {GuestPart::journal};
    co_await order_reboot(session, deadline);
    const Deadline closing = deadline.child(2s);
    co_await machine.executor->close(closing);
    const RebootLimits limits = machine.reboot_limits;
    const Deadline limit = deadline.child(limits.back, "reboot");
    const auto begun = Deadline::Clock::now();
    bool went_down = false;
    while (limit.left() > pause_between_tries) {
        co_await sleep_for(pause_between_tries, limit);
        const Deadline attempt = limit.child(one_try);
        const std::string now = co_await boot_id_of_fresh_connection(machine, attempt);
        deadline.check();
        if (!now.empty() && now != before) {
            co_await session.reopen(deadline);
            const std::string settle = "timeout 60 systemctl is-system-running --wait >/dev/null 2>&1";
            co_await session.ask(RunAs::root, journal, settle, "waiting for the system", deadline);
            co_return;
        }
        went_down = went_down || now.empty();
        if (!now.empty()) {
            // The same system, still or again: a restarted sshd is no reboot.
            if (Deadline::Clock::now() - begun > limits.down) {
                const Deadline asking = deadline.child(5s);
                const std::string words = co_await words_of_reboot(machine, asking);
                throw Error(Errc::timed_out, fmt::format("the machine did not go down within {} s after the reboot command{}",
                                                         limits.down.count(), words));
            }
            const Deadline again = deadline.child(2s);
            co_await machine.executor->close(again);
        }
    }
    throw Error(Errc::timed_out,
                fmt::format("the machine did not {} within {} s after the reboot{}", went_down ? "come back" : "go down",
                            limits.back.count(), went_down ? "" : " command"));
}

}  // namespace ov
