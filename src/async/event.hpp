// Lets coroutines of one event loop wait for a condition that other code of the same loop changes.
//
//     while (!ready()) co_await event.wait(deadline);
//
// There is no lost wake-up: everything runs on one thread, so nothing happens between the test and the wait.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <list>
#include <memory>

#include "ov/deadline.hpp"

namespace ov {

class Event {
public:
    explicit Event(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    /// Returns after the next `notify`. Throws Error{timed_out} or Error{cancelled} when the deadline comes first.
    asio::awaitable<void> wait(Deadline deadline);

    /// Wakes all who wait now. They run from the event loop, not from inside this call.
    void notify() noexcept;

private:
    struct Waiter;
    asio::any_io_executor executor_;
    std::shared_ptr<std::list<Waiter*>> waiters_ = std::make_shared<std::list<Waiter*>>();
};

/// Sleeps. Throws Error{cancelled}, or Error{timed_out} when the deadline ends before the sleep does.
asio::awaitable<void> sleep_for(Deadline::Duration duration, Deadline deadline);

}  // namespace ov
