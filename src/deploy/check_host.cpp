#include "deploy/check_host.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <signal.h>

#include <algorithm>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <charconv>
#include <cstring>

#include "async/watchdog.hpp"
#include "deploy/check_artifact.hpp"
#include "deploy/check_http.hpp"

namespace ov {
namespace {

using asio::ip::tcp;

struct Addresses {
    std::vector<std::string> all;
    std::string problem;
};

/// Blocks: for the pool.
Addresses look_up(const std::string& host) {
    addrinfo hints{}, *list = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    Addresses out;
    if (code != 0) {
        out.problem = ::gai_strerror(code);
        return out;
    }
    for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
            if (std::ranges::find(out.all, text) == out.all.end()) out.all.emplace_back(text);
    }
    ::freeaddrinfo(list);
    return out;
}

std::string joined(std::span<const std::string> words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return "[" + text + "]";
}

/// Empty: the connection came up.
asio::awaitable<std::string> connect_problem(std::string address, std::uint16_t port, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    tcp::socket socket(executor);
    asio::error_code error;
    const auto ip = asio::ip::make_address(address, error);
    if (error) co_return error.message();
    Watchdog guard(executor, deadline, [&socket] {
        asio::error_code ignored;  // the wait ends either way
        socket.close(ignored);
    });
    co_await socket.async_connect(tcp::endpoint(ip, port), asio::redirect_error(asio::use_awaitable, error));
    if (guard.fired()) {
        if (deadline.cancelled()) deadline.raise();
        co_return std::string("timed out");
    }
    co_return error ? error.message() : std::string();
}

}  // namespace

asio::awaitable<CheckVerdict> HostChecks::reach(Check check, std::string host, std::string port, Deadline deadline) {
    std::uint16_t number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number);
    if (number == 0) co_return failed(fmt::format("expected a port from 1 to 65535, got '{}'", port));
    auto asking = [host] { return look_up(host); };
    const Addresses found = co_await runtime_.pool.run(deadline, std::move(asking));
    std::string problem = found.problem;
    for (const std::string& address : found.all) {
        problem = co_await connect_problem(address, number, deadline);
        if (problem.empty()) break;
    }
    const bool reachable = problem.empty(), wanted = check.flag("reachable", true);
    if (check.verb == "addr") {
        if (reachable == wanted) co_return passed(fmt::format("reachable={}", reachable));
        co_return failed(fmt::format("reachable={} (err: {}), want {}", reachable, reachable ? "none" : problem, wanted));
    }
    const std::string place = host + ":" + port;
    if (wanted) co_return reachable ? passed(place + " reachable") : failed(fmt::format("dial {}: {}", place, problem));
    co_return reachable ? failed(place + " reachable but wanted unreachable") : passed(place + " unreachable (as expected)");
}

asio::awaitable<CheckVerdict> HostChecks::dns(Check check, Deadline deadline) {
    auto asking = [host = check.subject] { return look_up(host); };
    const Addresses found = co_await runtime_.pool.run(deadline, std::move(asking));
    const bool resolvable = !found.all.empty(), wanted = check.flag("resolvable", true);
    if (resolvable != wanted) co_return failed(fmt::format("resolvable={}, want {}", resolvable, wanted));
    const auto addresses = check.list("addrs");
    for (const std::string& address : found.all)
        if (std::ranges::find(addresses, address) != addresses.end())
            co_return passed(fmt::format("resolved to {} (match)", address));
    if (!addresses.empty() && resolvable)
        co_return failed(fmt::format("resolved to {}, want one of {}", joined(found.all), joined(addresses)));
    co_return passed(fmt::format("resolvable={}", resolvable));
}

asio::awaitable<CheckVerdict> HostChecks::command(Check check, Deadline deadline) {
    ProcessOptions options;
    options.argv = {"/bin/sh", "-c", check.subject};
    options.directory = directory_;
    ProcessOutput output = co_await run_process(std::move(options), deadline);
    const CommandResult result{output.status, std::move(output.out), std::move(output.err)};
    co_return judge_command(check, result);
}

CheckVerdict HostChecks::background(const Check& check) {
    ProcessOptions options;
    options.argv = {"/bin/sh", "-c", check.subject};
    options.directory = directory_;
    options.in = options.out = options.err = Redirect::null;
    background_.push_back(Process::spawn(runtime_.io.get_executor(), std::move(options)));
    return passed(fmt::format("backgrounded pid={}", background_.back().pid()));
}

CheckVerdict HostChecks::kill(const Check& check) const {
    if (check.subject.empty()) return failed("the PID is empty");
    int pid = 0;
    const char* end = check.subject.data() + check.subject.size();
    if (std::from_chars(check.subject.data(), end, pid).ptr != end || pid <= 1)
        return failed(fmt::format("expected a PID above 1, got '{}'", check.subject));
    const bool ours = std::ranges::any_of(background_, [pid](const Process& process) { return process.pid() == pid; });
    if (!ours) return failed(fmt::format("pid {} was not started by a background check of this run", pid));
    const std::string name = check.text("signal", "TERM");
    if (::kill(pid, name == "KILL" ? SIGKILL : SIGTERM) != 0) return failed(fmt::format("pid {}: {}", pid, std::strerror(errno)));
    return passed(fmt::format("sent SIG{} to pid={}", name, pid));
}

asio::awaitable<CheckVerdict> HostChecks::method(Check check, Deadline deadline) {
    if (!domain_) co_return failed(fmt::format("{} {}: the machine has no domain on this host", check.verb, check.subject));
    // File systems keep coarser times than clocks.
    const auto begun = std::filesystem::file_time_type::clock::now() - std::chrono::milliseconds(20);
    const CommandResult result = co_await domain_(check, deadline);
    CheckVerdict verdict = judge_command(check, result);
    if (verdict.status != CheckStatus::pass) co_return verdict;
    auto looking = [check, directory = directory_, begun] { return artifact_problem(check, directory, begun); };
    const auto problem = co_await runtime_.pool.run(deadline, std::move(looking));
    if (problem) co_return failed(*problem);
    for (const std::string& text : {preview(result.out), preview(result.err)})
        if (!text.empty()) co_return passed(text);
    co_return passed(fmt::format("{} {}: exit={}", check.verb, check.subject, result.status));
}

asio::awaitable<CheckVerdict> HostChecks::run(Check check, Deadline deadline) {
    const std::string verb = check.verb, subject = check.subject;
    if (verb == "port") {
        auto verdict = co_await reach(check, check.text("ip", "127.0.0.1"), subject, deadline);
        co_return verdict;
    }
    if (verb == "addr") {
        const std::size_t colon = subject.rfind(':');
        if (colon == std::string::npos) co_return failed(fmt::format("expected host:port, got '{}'", subject));
        std::string host = subject.substr(0, colon);
        if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
        auto verdict = co_await reach(check, host, subject.substr(colon + 1), deadline);
        co_return verdict;
    }
    if (verb == "http") {
        const auto limit = std::chrono::ceil<std::chrono::milliseconds>(deadline.left());
        auto asking = [check, limit] { return check_http(check, limit); };
        auto verdict = co_await runtime_.pool.run(deadline.child(std::chrono::seconds(2) + limit), std::move(asking));
        co_return verdict;
    }
    if (verb == "dns") {
        auto verdict = co_await dns(check, deadline);
        co_return verdict;
    }
    if (verb == "command") {
        if (check.flag("background", false)) co_return background(check);
        auto verdict = co_await command(check, deadline);
        co_return verdict;
    }
    if (verb == "kill") co_return kill(check);
    if (verb == "matching") {
        const auto wrong = mismatch(check.matching("contains"), subject);
        co_return wrong ? failed(*wrong) : passed("value=" + subject);
    }
    if (verb == "libvirt" || verb == "spice" || verb == "vnc") {
        auto verdict = co_await method(check, deadline);
        co_return verdict;
    }
    co_return failed(fmt::format("{} needs a container or a cluster, not a VM target", verb));
}

asio::awaitable<void> HostChecks::close() {
    std::vector<Process> all = std::exchange(background_, {});
    for (Process& process : all) co_await process.end(std::chrono::milliseconds(500));
}

}  // namespace ov
