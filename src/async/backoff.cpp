#include "async/backoff.hpp"

#include <algorithm>

namespace ov {

std::chrono::milliseconds Backoff::ceiling() const noexcept {
    const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(ceiling_);
    return std::min(whole, options_.cap);
}

std::chrono::milliseconds Backoff::next(std::chrono::milliseconds minimum) {
    std::uniform_int_distribution<std::int64_t> jitter(0, ceiling().count());
    const std::chrono::milliseconds delay{jitter(random_)};
    if (ceiling() < options_.cap) ceiling_ *= options_.factor;
    return std::max(delay, minimum);
}

asio::awaitable<void> retry(Deadline deadline, Backoff backoff,
                            std::function<asio::awaitable<bool>(std::chrono::milliseconds&)> attempt, Sleeper sleeper) {
    for (;;) {
        std::chrono::milliseconds least_delay{0};
        const bool done = co_await attempt(least_delay);
        if (done) co_return;
        co_await sleeper(backoff.next(least_delay), deadline);
    }
}

}  // namespace ov
