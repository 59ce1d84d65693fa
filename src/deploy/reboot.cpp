#include "deploy/reboot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/event.hpp"

namespace ov {
namespace {

using namespace std::chrono_literals;

constexpr auto reboot_limit = 7min;
constexpr auto pause_between_tries = 3s;
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
        if (error.code() == Errc::host_key || error.code() == Errc::cancelled) fatal = error;
    }
    if (fatal) throw *fatal;
    co_return std::string();
}

}  // namespace

asio::awaitable<void> reboot_machine(GuestSession& session, Deadline deadline) {
    Machine& machine = session.machine();
    const std::string before = session.facts().boot_id;
    if (!is_uuid(before)) throw Error(Errc::unsupported, "the machine does not tell its boot id: a reboot could not be proven");
    const GuestParts journal = {GuestPart::journal};
    const std::string script =
        "ov_sync \"$ov_journal\"\nsetsid bash -c 'sleep 1; systemctl reboot || reboot' </dev/null >/dev/null 2>&1 &\n";
    co_await session.must(RunAs::root, journal, script, "reboot", deadline);
    const Deadline closing = deadline.child(2s);
    co_await machine.executor->close(closing);
    const Deadline limit = deadline.child(reboot_limit, "reboot");
    bool went_down = false;
    while (!limit.expired()) {
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
            const Deadline again = deadline.child(2s);
            co_await machine.executor->close(again);
        }
    }
    throw Error(Errc::timed_out, went_down ? "the machine did not come back within 7 minutes after the reboot"
                                           : "the machine did not go down within 7 minutes after the reboot command");
}

}  // namespace ov
