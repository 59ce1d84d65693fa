// Bounds operations that Asio itself runs (connect, read, accept): when the deadline ends, a function cancels them.
#pragma once

#include <asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "ov/deadline.hpp"

namespace ov {

/// While it lives, `cancel_operation` is called once, from the event loop, when the deadline expires or is cancelled.
/// Typical use: `Watchdog guard(executor, deadline, [&] { socket.cancel(); });` then await the operation.
class Watchdog {
public:
    Watchdog(asio::any_io_executor executor, const Deadline& deadline, std::function<void()> cancel_operation);
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog();

    /// True once the operation was told to stop; the caller then raises the deadline's error.
    bool fired() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
    CancelRegistration registration_;
};

}  // namespace ov
