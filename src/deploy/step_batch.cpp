#include "deploy/step_batch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/task_group.hpp"

namespace ov {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::string step_name(const PreparedStep& step) {
    return fmt::format("layer {}, step {} ({})", step.layer, step.index + 1, step.summary);
}

/// What the children of one batch share. Results arrive in the order of the steps.
struct Batch {
    std::vector<const PreparedStep*> steps;
    EmitEvent events;
    std::size_t head = 0;  ///< the step at work
    SteadyClock::time_point begun = SteadyClock::now();
    std::vector<std::string> tails;  ///< last output of each step; it can come before the end of the step ahead is noticed
    std::exception_ptr failure;

    void begin() {
        if (head >= steps.size() || failure) return;
        begun = SteadyClock::now();
        const PreparedStep& step = *steps[head];
        events(event::StepStarted{step.layer, step.index + 1, step.of, std::string(step.step->kind()), step.summary});
    }

    void output(std::size_t index, Stream stream, std::string_view text) {
        std::string& tail = tails[index];
        tail += text;
        if (tail.size() > 8192) tail.erase(0, tail.size() - 4096);
        events(event::Output{std::string(text), stream == Stream::err});
    }

    void end(StepState end, int status, std::string note = {}) {
        const PreparedStep& step = *steps[head];
        const double seconds = std::chrono::duration<double>(SteadyClock::now() - begun).count();
        events(event::StepFinished{step.layer, step.index + 1, step.of, end, status, seconds, std::move(note)});
        ++head;
    }
};

void fail(Batch& batch, const PreparedStep& step, const Error& error) {
    if (batch.failure) return;
    const bool cancelled = error.code() == Errc::cancelled;
    batch.end(cancelled ? StepState::cancelled : StepState::failed, -1, error.what());
    batch.failure = std::make_exception_ptr(error.within(step_name(step)));
}

asio::awaitable<void> run_step(Executor& executor, std::shared_ptr<Batch> batch, std::size_t index, Command command,
                               Deadline deadline) {
    const PreparedStep& step = *batch->steps[index];
    OutputSink sink = [batch, index](Stream stream, std::string_view text) { batch->output(index, stream, text); };
    std::optional<Error> error;
    CommandResult result;
    try {
        result = co_await executor.run(std::move(command), deadline, std::move(sink));
    } catch (const Error& caught) {
        error = caught;
    }
    if (batch->failure) co_return;  // a step before this one failed: the machine did not begin it
    if (error) {
        fail(*batch, step, *error);
    } else if (result.status != 0) {
        // The lines before the last one went out as they came.
        const CommandResult words{result.status, batch->tails[index], {}};
        batch->end(StepState::failed, result.status);
        batch->failure =
            std::make_exception_ptr(Error(Errc::step_failed, fmt::format("{}: {}", step_name(step), exit_text(words, 1))));
    } else {
        batch->end(StepState::ok, 0);
        batch->begin();
    }
}

}  // namespace

asio::awaitable<void> run_batch(GuestSession& session, std::vector<const PreparedStep*> steps, UploadCache& uploads,
                                std::string run, Deadline deadline, EmitEvent events) {
    auto batch = std::make_shared<Batch>();
    batch->steps = std::move(steps);
    batch->tails.resize(batch->steps.size());
    batch->events = std::move(events);
    batch->begin();
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        for (std::size_t i = 0; i < batch->steps.size(); ++i) {
            const PreparedStep& step = *batch->steps[i];
            Command command;
            // Killing a copy of many bytes must be possible.
            const auto large = [&](const Upload& upload) { return uploads.file(upload.source).size > UploadCache::inline_limit; };
            command.in_runner = step.script.in_runner && std::ranges::none_of(step.script.uploads, large);
            command.script = (command.in_runner ? "ov_begin && " : "ov_begin || exit\n") + step.script.text;
            command.as = step.script.as;
            command.limit = step.script.limit;
            command.label = step_name(step);
            command.record = journal_record(step, run);
            group.spawn(run_step(session.executor(), batch, i, std::move(command), group.deadline()));
        }
        co_return;
    };
    co_await with_task_group(deadline, body, OnFailure::let_finish);
    if (batch->failure) std::rethrow_exception(batch->failure);
}

}  // namespace ov
