// Time budget, cancellation and log prefix in one object that is handed down the call tree.
//
// Rules: a child never outlives or exceeds its parent; cancelling a parent cancels every child; copying a Deadline shares
// it. All calls belong to the io_context's thread; `CancelSource::request` may be posted from anywhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ov/error.hpp"

namespace ov {

namespace detail {
struct CancelState;
}

/// Keeps a cancel callback registered while it lives. Movable.
class CancelRegistration {
public:
    CancelRegistration() = default;
    CancelRegistration(std::weak_ptr<detail::CancelState> state, std::uint64_t id) : state_(std::move(state)), id_(id) {}
    CancelRegistration(CancelRegistration&& other) noexcept;
    CancelRegistration& operator=(CancelRegistration&& other) noexcept;
    ~CancelRegistration() { reset(); }
    void reset() noexcept;

private:
    std::weak_ptr<detail::CancelState> state_;
    std::uint64_t id_ = 0;
};

class Deadline {
public:
    using Clock = std::chrono::steady_clock;
    using Duration = Clock::duration;

    /// No time limit, never cancelled unless `cancel()` is called on it.
    static Deadline unlimited(std::string prefix = {});

    /// A child that ends `budget` from now, or with this one if that is earlier. A non-empty word is appended to the prefix.
    Deadline child(Duration budget, std::string_view word = {}) const;
    /// A child that can be cancelled on its own but has no shorter budget.
    Deadline child(std::string_view word = {}) const;

    Clock::time_point at() const noexcept { return at_; }
    bool expired(Clock::time_point now = Clock::now()) const noexcept { return now >= at_; }
    bool cancelled() const noexcept;
    /// Time that is left, at least zero.
    Duration left(Clock::time_point now = Clock::now()) const noexcept;

    /// Throws Error{cancelled} or Error{timed_out} when the time for work is over.
    void check() const;
    [[noreturn]] void raise() const;

    /// Cancels this deadline and all children made from it. Waiters run from the event loop, not from inside this call.
    void cancel() const;

    /// Calls `callback` once when cancelled (at once if that has happened), from inside `cancel()`; it must only post.
    [[nodiscard]] CancelRegistration on_cancel(std::function<void()> callback) const;

    /// Words from the root to here, for messages: "web-3: connect".
    const std::string& prefix() const noexcept { return prefix_; }

private:
    Deadline(std::shared_ptr<detail::CancelState> state, Clock::time_point at, std::string prefix)
        : state_(std::move(state)), at_(at), prefix_(std::move(prefix)) {}

    std::shared_ptr<detail::CancelState> state_;
    Clock::time_point at_;
    std::string prefix_;
};

}  // namespace ov
