#include "ov/check_run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/event.hpp"
#include "async/task_group.hpp"
#include "deploy/check_host.hpp"
#include "deploy/check_memory.hpp"
#include "deploy/check_probe.hpp"
#include "ov/compile.hpp"

namespace ov {
namespace {

using namespace std::chrono_literals;
using Clock = Deadline::Clock;

constexpr std::size_t most_output = 1 << 20, most_at_once = 64;

/// Bytes that are no UTF-8 become U+FFFD: messages end up in JSON and XML.
std::string valid_utf8(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at]);
        const std::size_t length = first < 0x80                    ? 1
                                   : first >= 0xF0 && first < 0xF5 ? 4
                                   : first >= 0xE0                 ? 3
                                   : first >= 0xC2                 ? 2
                                                                   : 0;
        bool good = length > 0 && first < 0xF5 && at + length <= text.size();
        for (std::size_t i = 1; good && i < length; ++i) good = (static_cast<unsigned char>(text[at + i]) & 0xC0U) == 0x80U;
        out += good ? text.substr(at, length) : "\xEF\xBF\xBD";
        at += good ? length : 1;
    }
    return out;
}

std::chrono::nanoseconds duration_of(const Check& check, std::string_view key, std::chrono::nanoseconds fallback) {
    const auto value = parse_go_duration(check.text(key));
    return value ? *value : fallback;
}

std::chrono::nanoseconds default_timeout(const Check& check) {
    if (check.verb == "command") return 300s;
    if (!check.on_host()) return 60s;
    if (check.verb == "libvirt" || check.verb == "spice" || check.verb == "vnc") return 60s;
    return check.verb == "http" ? 10s : 3s;
}

class CheckRun {
public:
    CheckRun(Executor& executor, Runtime& runtime, CheckRequest request, EmitEvent events)
        : executor_(executor),
          request_(std::move(request)),
          events_(std::move(events)),
          host_(runtime, request_.directory, request_.domain) {}

    asio::awaitable<std::vector<CheckResult>> run(Deadline deadline) {
        choose();
        std::exception_ptr failure;
        try {
            co_await ask_guest(deadline);
            co_await all(deadline);
        } catch (const Error&) {
            failure = std::current_exception();
        }
        co_await host_.close();
        if (failure) std::rethrow_exception(failure);
        co_return std::move(results_);
    }

private:
    /// A check on its way to its probe, or the verdict that makes one needless. Later ones may need what it captures.
    struct Prepared {
        Check check;
        std::optional<CheckVerdict> verdict;
        bool batched() const { return verdict || (!check.on_host() && !check.has("eventually") && !check.has("capture")); }
    };

    void choose() {
        if (request_.only_ids.empty()) return;
        std::vector<Check> chosen;
        for (const std::string& id : request_.only_ids)
            if (std::ranges::find(request_.checks, id, &Check::id) == request_.checks.end())
                throw Error(Errc::not_found, fmt::format("no check has the id {}", id));
        for (Check& check : request_.checks)
            if (std::ranges::find(request_.only_ids, check.id) != request_.only_ids.end()) chosen.push_back(std::move(check));
        request_.checks = std::move(chosen);
    }

    asio::awaitable<void> ask_guest(Deadline deadline) {
        Command ask;
        ask.script = "printf '%s\\n' \"$HOME\"; cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release\n";
        ask.label = "asking the machine";
        CommandResult answer = co_await executor_.run(std::move(ask), deadline);
        const std::size_t end = answer.out.find('\n');
        request_.variables["HOME"] = answer.out.substr(0, end);
        if (end != std::string::npos) tags_ = distro_from_os_release(std::string_view(answer.out).substr(end + 1)).tags;
        if (tags_.empty())
            events_(event::Note{Severity::warning,
                                "the machine's os-release cannot be read: package_map and exclude_distro do nothing"});
    }

    Prepared prepare(const Check& check) const {
        Prepared out{check, std::nullopt};
        const auto verdict = [&out](CheckStatus status, std::string message) {
            out.verdict = CheckVerdict{status, std::move(message)};
        };
        if (check.skip) {
            verdict(CheckStatus::skip, "skip: true");
            return out;
        }
        for (const std::string& tag : check.list("exclude_distro"))
            if (std::ranges::find(tags_, tag) != tags_.end()) {
                verdict(CheckStatus::skip, fmt::format("excluded on distro \"{}\"", tag));
                return out;
            }
        if (check.has("on")) {
            verdict(CheckStatus::fail, fmt::format("on: {} cannot be reached outside a scenario", check.text("on")));
            return out;
        }
        std::vector<std::string> unknown;
        Check expanded = expand_check(check, request_.variables, unknown);
        if (!unknown.empty()) {
            std::string names;
            for (const std::string& name : unknown) names += (names.empty() ? "" : ", ") + name;
            verdict(CheckStatus::skip, "unresolved variables: " + names);
            return out;
        }
        for (const char* key : {"timeout", "eventually", "retry_interval"})
            if (const auto value = parse_go_duration(expanded.text(key, "1s")); !value || value->count() <= 0)
                verdict(CheckStatus::fail, fmt::format("{}: '{}' is no duration above 0", key, expanded.text(key)));
        if ((expanded.verb == "spice" || expanded.verb == "vnc") && !request_.displays.contains(expanded.verb))
            verdict(CheckStatus::skip, fmt::format("N/A: no {} display declared", expanded.verb));
        if (expanded.flag("background", false) && !expanded.on_host())
            verdict(CheckStatus::fail, "background: true needs from_host: true");
        out.check = std::move(expanded);
        return out;
    }

    asio::awaitable<void> all(Deadline deadline) {
        std::size_t next = 0;
        // Each takes its own time where times are asked for.
        const bool timed = std::ranges::find(request_.checks, "summarize", &Check::verb) != request_.checks.end();
        while (next < request_.checks.size()) {
            std::vector<Prepared> batch;
            while (next < request_.checks.size() && batch.size() < most_at_once) {
                Prepared prepared = prepare(request_.checks[next]);
                if (!prepared.batched() && !batch.empty()) break;
                const bool alone = !prepared.batched();
                batch.push_back(std::move(prepared));
                ++next;
                if (alone || request_.stop_on_fail || timed) break;
            }
            if (batch.size() == 1 && !batch.front().batched())
                co_await one(std::move(batch.front()), deadline);
            else
                co_await together(std::move(batch), deadline);
        }
    }

    void report(const Check& check, CheckVerdict verdict, int attempts, Clock::time_point begun) {
        CheckResult result;
        result.verb = check.verb;
        result.subject = valid_utf8(check.subject);
        result.id = check.id;
        result.origin = check.origin;
        result.status = verdict.status;
        result.message = valid_utf8(verdict.message);
        result.attempts = attempts;
        result.elapsed = Clock::now() - begun;
        events_(event::CheckFinished{result});
        const bool stop = request_.stop_on_fail && result.status == CheckStatus::fail;
        const std::string name = result.id.empty() ? result.verb + " " + result.subject : result.id;
        results_.push_back(std::move(result));
        if (stop) throw Error(Errc::checks_failed, "test stopped at first failure: " + name);
    }

    /// What a failed attempt means: no observation. Cancelled and out of time end the run.
    CheckVerdict verdict_of(const Error& error, const Deadline& deadline) {
        if (deadline.cancelled()) return failed("cancelled");
        if (error.code() == Errc::timed_out) return failed("timed out");
        if (error.code() == Errc::transport_lost) return failed(fmt::format("transport: {}", error.what()));
        return failed(error.what());
    }

    asio::awaitable<CheckVerdict> guest_attempt(Check check, std::chrono::nanoseconds limit, Deadline deadline) {
        GuestProbe probe = guest_probe(check, tags_);
        Command command;
        command.script = std::move(probe.script);
        command.limit = std::max(std::chrono::ceil<std::chrono::seconds>(limit), 1s);
        command.label = fmt::format("check {} {}", check.verb, check.id);
        auto result = std::make_shared<CommandResult>();
        OutputSink sink = [result](Stream stream, std::string_view text) {
            std::string& into = stream == Stream::out ? result->out : result->err;
            into += text.substr(0, most_output - std::min(most_output, into.size()));
        };
        const CommandResult ended = co_await executor_.run(std::move(command), deadline, std::move(sink));
        result->status = ended.status;
        co_return probe.judge(*result);
    }

    asio::awaitable<void> probe_into(const Check* check, Deadline deadline, std::optional<CheckVerdict>* verdict) {
        std::optional<CheckVerdict> out;
        try {
            const std::chrono::nanoseconds limit = duration_of(*check, "timeout", default_timeout(*check));
            out = co_await guest_attempt(*check, limit, deadline);
        } catch (const Error& error) {
            out = verdict_of(error, deadline);
        }
        *verdict = std::move(out);
    }

    /// Probes without retries go to the machine in one go: it runs them one after another.
    asio::awaitable<void> together(std::vector<Prepared> batch, Deadline deadline) {
        Clock::time_point begun = Clock::now();
        auto body = [this, &batch](TaskGroup& group) -> asio::awaitable<void> {
            for (Prepared& prepared : batch)
                if (!prepared.verdict) group.spawn(probe_into(&prepared.check, group.deadline(), &prepared.verdict));
            co_return;
        };
        co_await with_task_group(deadline, body, OnFailure::let_finish);
        for (Prepared& prepared : batch) {
            report(prepared.check, std::move(*prepared.verdict), 1, begun);
            begun = Clock::now();
            deadline.check();
        }
    }

    asio::awaitable<CheckVerdict> attempt(Check check, std::chrono::nanoseconds limit, Deadline deadline) {
        const Deadline bounded = deadline.child(std::chrono::duration_cast<Deadline::Duration>(limit));
        std::optional<CheckVerdict> verdict;
        try {
            if (check.verb == "summarize")
                verdict = summarize(check, results_);
            else if (check.on_host())
                verdict = co_await host_.run(check, bounded);
            else
                verdict = co_await guest_attempt(check, limit, bounded);
        } catch (const Error& error) {
            verdict = verdict_of(error, deadline);
        }
        co_return std::move(*verdict);
    }

    /// Stores what a check that passed is to be remembered for, or makes it fail.
    void capture(const Check& check, CheckVerdict& verdict) {
        if (verdict.status != CheckStatus::pass || !check.has("capture")) return;
        if (auto text = captured_text(check, verdict.message))
            request_.variables["CAPTURED:" + check.text("capture")] = std::move(*text);
        else
            verdict = failed(fmt::format("capture_extract: /{}/ is not in: {}", check.text("capture_extract"), verdict.message));
    }

    asio::awaitable<void> one(Prepared prepared, Deadline deadline) {
        const Check check = std::move(prepared.check);
        const auto begun = Clock::now();
        const auto timeout = duration_of(check, "timeout", default_timeout(check));
        const bool retries = check.has("eventually");
        const auto window = duration_of(check, "eventually", 0s);
        const auto interval = std::min(duration_of(check, "retry_interval", 1s), window);
        for (int attempts = 1;; ++attempts) {
            auto limit = timeout;
            if (retries) limit = std::min(limit, std::max<std::chrono::nanoseconds>(begun + window - Clock::now(), 1s));
            CheckVerdict verdict = co_await attempt(check, limit, deadline);
            capture(check, verdict);
            const bool over = deadline.cancelled() || deadline.expired();
            if (!retries || verdict.status != CheckStatus::fail || over || Clock::now() + interval > begun + window) {
                if (retries && verdict.status == CheckStatus::fail && !over)
                    verdict.message += fmt::format(" (after {} attempt{} over {})", attempts, attempts == 1 ? "" : "s",
                                                   format_go_duration(Clock::now() - begun));
                report(check, std::move(verdict), attempts, begun);
                deadline.check();
                co_return;
            }
            co_await sleep_for(std::chrono::duration_cast<Deadline::Duration>(interval), deadline);
        }
    }

    Executor& executor_;
    CheckRequest request_;
    EmitEvent events_;
    HostChecks host_;
    std::vector<std::string> tags_;
    std::vector<CheckResult> results_;
};

}  // namespace

asio::awaitable<std::vector<CheckResult>> run_checks(Executor& executor, Runtime& runtime, CheckRequest request,
                                                     Deadline deadline, EmitEvent events) {
    CheckRun run(executor, runtime, std::move(request), std::move(events));
    auto results = co_await run.run(deadline);
    co_return results;
}

}  // namespace ov
