// The Executor for every venue that can start a bash: one runner per privilege level over a launcher.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "async/runtime.hpp"
#include "async/semaphore.hpp"
#include "exec/remote_process.hpp"
#include "exec/runner.hpp"
#include "ov/executor.hpp"

namespace ov {

class RunnerExecutor final : public Executor {
public:
    RunnerExecutor(std::unique_ptr<Launcher> launcher, Runtime& runtime);
    ~RunnerExecutor() override;

    std::string venue() const override { return launcher_->venue(); }
    asio::awaitable<CommandResult> run(Command command, Deadline deadline, OutputSink sink = {}) override;
    asio::awaitable<void> put(std::unique_ptr<ByteSource> source, PutTarget target, Deadline deadline) override;
    asio::awaitable<void> get(std::string path, RunAs as, std::function<void(std::string_view)> sink, Deadline deadline) override;
    asio::awaitable<CommandResult> feed(Command command, std::unique_ptr<ByteSource> input, Deadline deadline) override;
    asio::awaitable<void> close(Deadline deadline) override;

private:
    /// One privilege level.
    struct Level {
        std::unique_ptr<Runner> runner;
        std::vector<Command> persistent;  ///< replayed where every command gets a runner of its own
        bool starting = false;
        std::exception_ptr failure;
    };

    Level& level(RunAs as) { return levels_[as == RunAs::root ? 1 : 0]; }
    std::string command_for(RunAs as) const;
    asio::awaitable<Runner*> runner_for(RunAs as, Deadline deadline);
    asio::awaitable<std::unique_ptr<Runner>> start_runner(RunAs as, Deadline deadline);
    asio::awaitable<CommandResult> run_alone(Command command, Deadline deadline, OutputSink sink);
    asio::awaitable<std::unique_ptr<RemoteProcess>> launch(RunAs as, Deadline deadline);
    asio::awaitable<void> give_up_runners(Deadline deadline);

    std::unique_ptr<Launcher> launcher_;
    Runtime& runtime_;
    std::array<Level, 2> levels_;
    Event changed_;
    /// Set when the machine allows one channel at a time (MaxSessions 1): then each command gets a channel of its own.
    bool one_channel_ = false;
    bool giving_up_ = false;  ///< the runners of before are still at work
    Semaphore channel_;
    bool closed_ = false;
};

}  // namespace ov
