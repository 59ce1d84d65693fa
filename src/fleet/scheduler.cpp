#include "fleet/scheduler.hpp"

#include <asio/this_coro.hpp>

#include "async/semaphore.hpp"
#include "async/task_group.hpp"

namespace ov {

namespace {

/// A machine's place among `jobs`.
class JobSlot final : public WorkSlot {
public:
    explicit JobSlot(Semaphore& jobs) : jobs_(jobs) {}
    void release() noexcept override { place_.release(); }
    asio::awaitable<void> acquire(Deadline deadline) override { place_ = co_await jobs_.acquire(deadline); }

private:
    Semaphore& jobs_;
    Semaphore::Place place_;
};

/// What the summary of a machine needs from the events of its work.
struct Trail {
    WorkPhase phase = WorkPhase::resolve;
    std::string layer;
    int step = 0;

    void follow(const EventBody& body) {
        if (const auto* started = std::get_if<event::PhaseStarted>(&body)) {
            phase = started->phase;
            layer.clear();
            step = 0;
        } else if (const auto* begun = std::get_if<event::StepStarted>(&body)) {
            layer = begun->layer;
            step = begun->step;
        } else if (const auto* ended = std::get_if<event::StepFinished>(&body);
                   ended != nullptr && ended->state == StepState::failed) {
            layer = ended->layer;
            step = ended->step;
        }
    }
};

struct Run {
    Run(const asio::any_io_executor& executor, EventStream& events, FleetLimits run_limits, std::size_t total)
        : stream(events),
          limits(std::move(run_limits)),
          jobs(executor, static_cast<std::size_t>(std::max(1, limits.jobs))),
          selected(total) {}

    EventStream& stream;
    FleetLimits limits;
    Semaphore jobs;
    std::size_t selected;
    std::map<std::string, Semaphore> machines;
    std::size_t bad = 0;
    bool stopped = false;

    bool may_start() const {
        if (stopped) return false;
        return !limits.max_fail || bad <= limits.max_fail->of(selected);
    }

    void count(Outcome outcome, const Deadline& all) {
        if (outcome != Outcome::failed && outcome != Outcome::unreachable && outcome != Outcome::timed_out) return;
        ++bad;
        if (!limits.fail_fast) return;
        stopped = true;
        all.cancel();
    }
};

asio::awaitable<void> work_on(std::shared_ptr<Run> run, VmWork work, Deadline all) {
    JobSlot slot(run->jobs);
    const auto executor = co_await asio::this_coro::executor;
    Semaphore& machine = run->machines.try_emplace(work.machine, executor, 1).first->second;
    Semaphore::Place alone;
    try {
        alone = co_await machine.acquire(all);
        co_await slot.acquire(all);
    } catch (const Error&) {
        co_return;  // never started: the report shows it as skipped
    }
    if (!run->may_start()) co_return;

    auto trail = std::make_shared<Trail>();
    const EmitEvent raw = run->stream.emitter(work.key);
    const EmitEvent emit = [trail, raw](EventBody body) {
        trail->follow(body);
        raw(std::move(body));
    };
    raw(event::VmStarted{work.entity, work.instance, work.host});
    const auto start = Deadline::Clock::now();
    Deadline deadline = all.child(work.key);
    if (run->limits.timeout) deadline = all.child(*run->limits.timeout, work.key);
    event::VmFinished end;
    std::optional<Error> failure;
    try {
        co_await work.run(slot, emit, deadline);
    } catch (const Error& error) {
        failure = error;
    }
    if (failure) {
        end.outcome = outcome_of(failure->code());
        end.error = failure->code();
        end.reason = failure->what();
        if (all.cancelled()) {
            end.outcome = Outcome::cancelled;
        } else if (deadline.expired() && run->limits.timeout) {
            // Whatever it was doing then failed because of it.
            end.outcome = Outcome::timed_out;
            end.reason = "longer than --timeout: " + end.reason;
        }
    }
    end.phase = trail->phase;
    if (failure) {
        end.layer = trail->layer;
        end.step = trail->step;
    }
    end.seconds = std::chrono::duration<double>(Deadline::Clock::now() - start).count();
    const Outcome outcome = end.outcome;
    raw(std::move(end));
    run->count(outcome, all);
}

}  // namespace

asio::awaitable<void> run_works(EventStream& stream, std::vector<VmWork> works, FleetLimits limits, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const std::size_t total = works.size();
    auto run = std::make_shared<Run>(executor, stream, std::move(limits), total);
    // Of its own, so that --fail-fast can end the run without cancelling the caller.
    const Deadline all = deadline.child();
    std::size_t batch = total;
    if (run->limits.batch) batch = std::max<std::size_t>(1, run->limits.batch->of(total));
    for (std::size_t next = 0; next < total && run->may_start() && !all.cancelled();) {
        const std::size_t end = std::min(total, next + batch);
        auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
            for (; next < end; ++next) group.spawn(work_on(run, std::move(works[next]), all));
            co_return;
        };
        co_await with_task_group(all, body, OnFailure::let_finish);
    }
}

}  // namespace ov
