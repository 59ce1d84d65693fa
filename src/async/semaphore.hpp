// Limits how many coroutines of one loop are at something at once.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <memory>
#include <utility>

#include "async/event.hpp"

namespace ov {

class Semaphore {
    struct State {
        State(asio::any_io_executor executor, std::size_t count) : changed(std::move(executor)), free(count) {}
        Event changed;
        std::size_t free;
    };

public:
    /// Holds one place while it lives.
    class Place {
    public:
        Place() = default;
        explicit Place(std::shared_ptr<State> state) : state_(std::move(state)) {}
        Place(Place&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
        Place& operator=(Place&& other) noexcept {
            if (this != &other) {
                release();
                state_ = std::exchange(other.state_, nullptr);
            }
            return *this;
        }
        ~Place() { release(); }
        void release() noexcept {
            if (!state_) return;
            ++state_->free;
            state_->changed.notify();
            state_.reset();
        }

    private:
        std::shared_ptr<State> state_;
    };

    Semaphore(asio::any_io_executor executor, std::size_t places)
        : state_(std::make_shared<State>(std::move(executor), places)) {}

    asio::awaitable<Place> acquire(Deadline deadline) {
        const auto state = state_;
        while (state->free == 0) co_await state->changed.wait(deadline);
        --state->free;
        co_return Place(state);
    }

private:
    std::shared_ptr<State> state_;
};

}  // namespace ov
