#include "lifecycle/ephemeral_timer.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "async/process.hpp"
#include "state/state_file.hpp"

namespace ov {

namespace {

asio::awaitable<bool> arm_by_systemd(std::vector<std::string> argv, Deadline deadline) {
    ProcessOptions options;
    options.argv = std::move(argv);
    try {
        const ProcessOutput output = co_await run_process(std::move(options), deadline.child(std::chrono::seconds(10)));
        co_return output.status == 0;
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled) throw;
    }
    co_return false;
}

/// A process of its own session, which outlives us. Returns its pid.
asio::awaitable<std::string> arm_detached(std::vector<std::string> argv, Deadline deadline) {
    ProcessOptions options;
    options.argv = std::move(argv);
    const ProcessOutput output = co_await run_process(std::move(options), deadline.child(std::chrono::seconds(10)));
    std::string pid = output.out;
    while (!pid.empty() && (pid.back() < '0' || pid.back() > '9')) pid.pop_back();
    if (output.status != 0 || pid.empty())
        throw Error(Errc::io, fmt::format("no timer could be armed for the ephemeral machine: {}", output.err));
    co_return pid;
}

/// The sleeping process, if the pid is still its own.
void end_sleeper(const std::string& pid) {
    const auto line = state::read_file("/proc/" + pid + "/cmdline");
    if (!line || line->find("ov-ttl") == std::string::npos) return;
    const int number = std::atoi(pid.c_str());
    // The leader of its own session: its `sleep` goes with it. Not when we are what it started.
    if (number > 1 && ::getsid(0) != number) ::kill(-number, SIGTERM);
}

}  // namespace

TimerCommand timer_command(const std::string& key, std::chrono::seconds ttl, const std::string& program,
                           const std::string& directory, const std::vector<std::string>& environment, bool root, long long now) {
    std::string word = key;
    for (char& c : word)
        if (c == '/' || c == '.' || c == ':') c = '-';
    TimerCommand command;
    command.unit = fmt::format("ov-deploy-del-{}-{}", word, now);
    const std::vector<std::string> work{program, "-C", directory, "deploy", "del", key, "--force"};
    command.systemd = {"systemd-run",
                       "--quiet",
                       "--collect",
                       "--unit=" + command.unit,
                       fmt::format("--on-active={}s", ttl.count()),
                       "--working-directory=" + directory};
    if (!root) command.systemd.insert(command.systemd.begin() + 1, "--user");
    for (const std::string& line : environment) command.systemd.push_back("--setenv=" + line);
    command.systemd.insert(command.systemd.end(), work.begin(), work.end());
    // The words arrive as arguments: nothing of them is shell text.
    command.detached = {"setsid",
                        "--fork",
                        "sh",
                        "-c",
                        "echo $$; exec </dev/null >/dev/null 2>&1; sleep \"$1\"; shift; exec \"$@\"",
                        "ov-ttl",
                        std::to_string(ttl.count())};
    command.detached.insert(command.detached.end(), work.begin(), work.end());
    return command;
}

asio::awaitable<std::string> arm_timer(TimerCommand command, Deadline deadline) {
    const bool armed = co_await arm_by_systemd(command.systemd, deadline);
    if (armed) co_return command.unit + ".timer";
    const std::string pid = co_await arm_detached(command.detached, deadline);
    co_return "pid:" + pid;
}

asio::awaitable<void> disarm_timer(Runtime& runtime, std::string timer, Deadline deadline) {
    if (timer.starts_with("pid:")) {
        auto end = [pid = timer.substr(4)] { end_sleeper(pid); };
        co_await runtime.pool.run(deadline, end);
    } else if (!timer.empty()) {
        std::vector<std::string> argv{"systemctl"};
        if (::geteuid() != 0) argv.push_back("--user");
        argv.push_back("stop");
        argv.push_back(timer);
        co_await arm_by_systemd(std::move(argv), deadline);
    }
}

}  // namespace ov
