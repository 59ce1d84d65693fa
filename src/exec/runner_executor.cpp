#include "exec/runner_executor.hpp"

#include <fmt/format.h>

#include "async/task_group.hpp"
#include "exec/transfer.hpp"

namespace ov {

namespace {

constexpr std::chrono::seconds runner_start_limit{120};
constexpr int most_channel_tries = 12;

}  // namespace

RunnerExecutor::RunnerExecutor(std::unique_ptr<Launcher> launcher, Runtime& runtime)
    : launcher_(std::move(launcher)),
      runtime_(runtime),
      changed_(runtime.io.get_executor()),
      channel_(runtime.io.get_executor(), 1) {}

RunnerExecutor::~RunnerExecutor() = default;

std::string RunnerExecutor::command_for(RunAs as) const {
    const bool through_sudo = as == RunAs::root && !launcher_->is_root();
    return through_sudo ? "exec sudo -n bash --noprofile --norc" : "exec bash --noprofile --norc";
}

asio::awaitable<std::unique_ptr<RemoteProcess>> RunnerExecutor::launch(RunAs as, Deadline deadline) {
    const std::string command = command_for(as);
    std::optional<Error> refused;
    for (int tries = 1;; ++tries) {
        try {
            auto process = co_await launcher_->launch(command, as, deadline);
            co_return process;
        } catch (const Error& error) {
            refused = error;
        }
        // Only a server that lets us in but not twice is worth another try, with one channel at a time.
        const bool have_channel = levels_[0].runner || levels_[1].runner;
        if (refused->code() != Errc::unreachable || tries > most_channel_tries || !(one_channel_ || have_channel)) throw *refused;
        one_channel_ = true;
        co_await give_up_runners(deadline);
        // The server counts a channel until it has reaped its program, and tells nobody when that is.
        co_await sleep_for(std::chrono::milliseconds(20 * tries), deadline);
    }
}

asio::awaitable<void> RunnerExecutor::give_up_runners(Deadline deadline) {
    giving_up_ = true;
    std::exception_ptr failure;
    try {
        for (Level& level : levels_) {
            if (!level.runner) continue;
            const auto runner = std::move(level.runner);
            // Closing would drop what was handed in before the server refused another channel.
            co_await runner->idle(deadline);
            co_await runner->close(deadline);
        }
    } catch (const Error&) {
        failure = std::current_exception();
    }
    giving_up_ = false;
    changed_.notify();
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<std::unique_ptr<Runner>> RunnerExecutor::start_runner(RunAs as, Deadline deadline) {
    const Deadline start = deadline.child(runner_start_limit, as == RunAs::root ? "root shell" : "shell");
    auto process = co_await launch(as, start);
    auto runner = co_await Runner::start(std::move(process), launcher_->venue(), as, start);
    co_return runner;
}

asio::awaitable<Runner*> RunnerExecutor::runner_for(RunAs as, Deadline deadline) {
    Level& level = this->level(as);
    while (level.starting) co_await changed_.wait(deadline);
    if (level.runner) co_return level.runner.get();
    if (closed_) throw Error(Errc::transport_lost, venue() + ": closed");
    if (level.failure) std::rethrow_exception(level.failure);
    level.starting = true;
    try {
        level.runner = co_await start_runner(as, deadline);
    } catch (const Error& error) {
        // A refusal stays a refusal; a cancelled caller says nothing about the machine.
        if (error.code() == Errc::privilege) level.failure = std::current_exception();
        level.starting = false;
        changed_.notify();
        throw;
    }
    level.starting = false;
    changed_.notify();
    co_return level.runner.get();
}

asio::awaitable<CommandResult> RunnerExecutor::run(Command command, Deadline deadline, OutputSink sink) {
    if (command.persistent) level(command.as).persistent.push_back(command);
    const bool last = command.last;
    Runner* runner = nullptr;
    if (!one_channel_) runner = co_await runner_for(command.as, deadline);
    CommandResult result;
    if (one_channel_)
        result = co_await run_alone(std::move(command), deadline, std::move(sink));
    else
        result = co_await runner->run(std::move(command), deadline, std::move(sink));
    if (last)
        for (Level& each : levels_) each.persistent.clear();
    co_return result;
}

asio::awaitable<CommandResult> RunnerExecutor::run_alone(Command command, Deadline deadline, OutputSink sink) {
    if (command.persistent) co_return CommandResult{};
    const Semaphore::Place place = co_await channel_.acquire(deadline);
    while (giving_up_) co_await changed_.wait(deadline);
    auto runner = co_await start_runner(command.as, deadline);
    std::vector<Command> persistent = level(command.as).persistent;
    // Tells the guest library that this shell is not the last one.
    Command alone;
    alone.script = "ov_alone=1\n";
    alone.persistent = true;
    persistent.insert(persistent.begin(), std::move(alone));
    const OutputSink nowhere;
    for (const Command& before : persistent) co_await runner->run(before, deadline, nowhere);
    CommandResult result;
    std::exception_ptr failure;
    try {
        result = co_await runner->run(std::move(command), deadline, std::move(sink));
    } catch (const Error&) {
        failure = std::current_exception();
    }
    co_await runner->close(Deadline::unlimited().child(std::chrono::seconds(2)));
    if (failure) std::rethrow_exception(failure);
    co_return result;
}

asio::awaitable<void> RunnerExecutor::put(std::unique_ptr<ByteSource> source, PutTarget target, Deadline deadline) {
    Semaphore::Place place;
    if (one_channel_) place = co_await channel_.acquire(deadline);
    auto process = co_await launch(target.as, deadline);
    co_await upload(std::move(process), venue(), std::move(source), std::move(target), deadline);
}

asio::awaitable<void> RunnerExecutor::get(std::string path, RunAs as, std::function<void(std::string_view)> sink,
                                          Deadline deadline) {
    Semaphore::Place place;
    if (one_channel_) place = co_await channel_.acquire(deadline);
    auto process = co_await launch(as, deadline);
    co_await download(std::move(process), venue(), std::move(path), std::move(sink), deadline);
}

asio::awaitable<CommandResult> RunnerExecutor::feed(Command command, std::unique_ptr<ByteSource> input, Deadline deadline) {
    Semaphore::Place place;
    if (one_channel_) place = co_await channel_.acquire(deadline);
    auto process = co_await launch(command.as, deadline);
    auto result = co_await feed_script(std::move(process), venue(), std::move(command), std::move(input), deadline);
    co_return result;
}

asio::awaitable<void> RunnerExecutor::close(Deadline deadline) {
    if (closed_) co_return;
    closed_ = true;
    auto body = [this, deadline](TaskGroup& group) -> asio::awaitable<void> {
        for (Level& level : levels_)
            if (level.runner) group.spawn(level.runner->close(deadline));
        co_return;
    };
    co_await with_task_group(deadline, body, OnFailure::let_finish);
    for (Level& level : levels_) level.runner.reset();
    co_await launcher_->close(deadline);
}

}  // namespace ov
