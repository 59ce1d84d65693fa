#include "async/watchdog.hpp"

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace ov {

struct Watchdog::State {
    State(const asio::any_io_executor& executor, std::function<void()> function)
        : timer(executor), cancel_operation(std::move(function)) {}

    void fire() {
        if (fired || !cancel_operation) return;
        fired = true;
        cancel_operation();
    }

    asio::steady_timer timer;
    std::function<void()> cancel_operation;
    bool fired = false;
};

Watchdog::Watchdog(asio::any_io_executor executor, const Deadline& deadline, std::function<void()> cancel_operation)
    : state_(std::make_shared<State>(executor, std::move(cancel_operation))) {
    if (deadline.at() != Deadline::Clock::time_point::max()) {
        state_->timer.expires_at(deadline.at());
        state_->timer.async_wait([weak = std::weak_ptr(state_)](asio::error_code error) {
            const auto state = weak.lock();
            if (!error && state) state->fire();
        });
    }
    registration_ = deadline.on_cancel([weak = std::weak_ptr(state_), executor] {
        // Posted: an operation that is about to start must have started before it can be cancelled.
        asio::post(executor, [weak] {
            if (const auto state = weak.lock()) state->fire();
        });
    });
}

Watchdog::~Watchdog() {
    state_->cancel_operation = nullptr;
}

bool Watchdog::fired() const noexcept {
    return state_->fired;
}

}  // namespace ov
