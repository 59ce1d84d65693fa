// Structured concurrency: children are joined before the scope ends, the first failure cancels the others.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "ov/deadline.hpp"

namespace ov {

/// What happens to the siblings of a child that failed.
enum class OnFailure { cancel_siblings, let_finish };

/// Made by `with_task_group`. All calls belong to the loop's thread.
class TaskGroup {
public:
    /// Starts a child from the event loop. Children use `deadline()` or something made from it.
    void spawn(asio::awaitable<void> child);
    /// Cancelled when a child failed (OnFailure::cancel_siblings), when the body failed, or with the parent.
    const Deadline& deadline() const noexcept { return deadline_; }
    std::size_t running() const noexcept;
    /// Returns when no child is left; throws the first failure.
    asio::awaitable<void> join();

    struct State;
    TaskGroup(asio::any_io_executor executor, Deadline deadline, OnFailure policy);

private:
    asio::any_io_executor executor_;
    Deadline deadline_;
    std::shared_ptr<State> state_;
};

/// Runs `body`, then joins every child it spawned, also when the body throws. Throws the body's error, else the first
/// child's. The body's closure lives until the join is over.
asio::awaitable<void> with_task_group(Deadline deadline, std::function<asio::awaitable<void>(TaskGroup&)> body,
                                      OnFailure policy = OnFailure::cancel_siblings);

}  // namespace ov
