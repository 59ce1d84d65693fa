#include "async/task_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>

#include "async/event.hpp"

namespace ov {

struct TaskGroup::State {
    State(const asio::any_io_executor& executor, Deadline group_deadline, OnFailure on_failure)
        : changed(executor), deadline(std::move(group_deadline)), policy(on_failure) {}
    Event changed;
    Deadline deadline;
    OnFailure policy;
    std::size_t running = 0;
    std::exception_ptr failure;
};

TaskGroup::TaskGroup(asio::any_io_executor executor, Deadline deadline, OnFailure policy)
    : executor_(executor), deadline_(deadline), state_(std::make_shared<State>(executor, deadline, policy)) {}

void TaskGroup::spawn(asio::awaitable<void> child) {
    ++state_->running;
    asio::co_spawn(executor_, std::move(child), [state = state_](std::exception_ptr error) {
        --state->running;
        if (error && !state->failure) {
            state->failure = error;
            if (state->policy == OnFailure::cancel_siblings) state->deadline.cancel();
        }
        state->changed.notify();
    });
}

std::size_t TaskGroup::running() const noexcept {
    return state_->running;
}

asio::awaitable<void> TaskGroup::join() {
    // Children end by their own deadlines; the join itself must not be cut short, or they would outlive the scope.
    const auto state = state_;
    const Deadline patience = Deadline::unlimited();
    while (state->running > 0) co_await state->changed.wait(patience);
    if (state->failure) std::rethrow_exception(state->failure);
}

asio::awaitable<void> with_task_group(Deadline deadline, std::function<asio::awaitable<void>(TaskGroup&)> body,
                                      OnFailure policy) {
    const auto executor = co_await asio::this_coro::executor;
    TaskGroup group(executor, deadline.child(), policy);
    std::exception_ptr failure;
    try {
        co_await body(group);
    } catch (...) {  // border of the scope: the error goes on after the join
        failure = std::current_exception();
        group.deadline().cancel();
    }
    try {
        co_await group.join();
    } catch (...) {
        if (!failure) failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace ov
