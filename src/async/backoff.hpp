// When to try again: exponential with full jitter, from a seed, independent of any clock.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>

#include "async/event.hpp"
#include "ov/deadline.hpp"

namespace ov {

/// Decision 14: from 100 ms, factor 1.6, cap 5 s.
struct BackoffOptions {
    std::chrono::milliseconds first{100};
    double factor = 1.6;
    std::chrono::milliseconds cap{5000};
};

/// Delay before try n+1 is uniform in [0, min(cap, first * factor^n)], never below the caller's minimum.
class Backoff {
public:
    Backoff(BackoffOptions options, std::uint64_t seed) : options_(options), random_(seed), ceiling_(options.first) {}

    std::chrono::milliseconds next(std::chrono::milliseconds minimum = {});
    /// Upper bound of the next delay.
    std::chrono::milliseconds ceiling() const noexcept;

private:
    BackoffOptions options_;
    std::mt19937_64 random_;
    std::chrono::duration<double, std::milli> ceiling_;
};

/// Sleeps like `sleep_for`; tests pass one that moves a fake clock.
using Sleeper = std::function<asio::awaitable<void>(Deadline::Duration, Deadline)>;

/// Calls `attempt` until it returns true, it throws, or the deadline ends. `attempt` reports the least delay it wants before
/// the next try through its argument (initially zero).
asio::awaitable<void> retry(Deadline deadline, Backoff backoff,
                            std::function<asio::awaitable<bool>(std::chrono::milliseconds& least_delay)> attempt,
                            Sleeper sleeper = sleep_for);

}  // namespace ov
