// Bounds any coroutine: the first of {work, time, cancellation} decides, and the work has always ended when this returns.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>
#include <exception>
#include <optional>
#include <type_traits>

#include "async/event.hpp"
#include "ov/deadline.hpp"

namespace ov {

namespace detail {

template <class T>
struct Slot {
    std::optional<T> value;
    void set(T result) { value.emplace(std::move(result)); }
    T take() { return std::move(*value); }
};

template <>
struct Slot<void> {
    std::optional<bool> value;
    void set() { value.emplace(true); }
    void take() {}
};

/// Shared by the caller and the spawned work, because either may be destroyed first when the context goes away.
template <class T>
struct Bounded {
    explicit Bounded(const asio::any_io_executor& executor) : ended(executor) {}
    asio::cancellation_signal stop;
    Event ended;
    Slot<T> slot;
    std::exception_ptr failure;
    bool done = false;

    template <class... Result>
    void finish(std::exception_ptr error, Result... result) {
        if (error)
            failure = error;
        else
            slot.set(std::move(result)...);
        done = true;
        ended.notify();
    }
};

}  // namespace detail

/// Runs `work` on the caller's executor. A failure of `work` is rethrown at once. When the deadline ends first, the work is
/// cancelled and awaited, then Error{timed_out} or Error{cancelled} is thrown; a value that arrived in time is returned.
template <class T>
asio::awaitable<T> with_deadline(Deadline deadline, asio::awaitable<T> work) {
    deadline.check();
    const auto executor = co_await asio::this_coro::executor;
    auto state = std::make_shared<detail::Bounded<T>>(executor);
    auto finished = [state](std::exception_ptr error, auto... result) { state->finish(error, std::move(result)...); };
    asio::co_spawn(executor, std::move(work), asio::bind_cancellation_slot(state->stop.slot(), std::move(finished)));
    std::exception_ptr cut;
    try {
        while (!state->done) co_await state->ended.wait(deadline);
    } catch (const Error&) {
        cut = std::current_exception();
    }
    if (cut) {
        state->stop.emit(asio::cancellation_type::terminal);
        const Deadline patience = Deadline::unlimited();
        while (!state->done) co_await state->ended.wait(patience);
        if (!state->slot.value) std::rethrow_exception(cut);
    }
    if (state->failure) std::rethrow_exception(state->failure);
    co_return state->slot.take();
}

}  // namespace ov
