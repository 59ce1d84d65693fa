// Runs calls that block (files, hashing, name lookup, libvirt) on a few threads and brings the result back to the loop.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <memory>
#include <type_traits>

#include "async/with_deadline.hpp"

namespace ov {

/// At most four threads (decision 13), started on first use. Destroy it before the io_context that waits for results:
/// the destructor joins its threads.
class BlockingPool {
public:
    static constexpr std::size_t max_threads = 4;

    BlockingPool() = default;
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;
    ~BlockingPool() {
        if (threads_) threads_->join();
    }

    /// Calls `function` on a pool thread; its exception or value comes back here. When the deadline ends first the call is
    /// abandoned: it goes on in its thread, its result is dropped. `function` must own what it uses.
    template <class Function>
    asio::awaitable<std::invoke_result_t<Function>> run(Deadline deadline, Function function) {
        using T = std::invoke_result_t<Function>;
        const auto executor = co_await asio::this_coro::executor;
        auto state = std::make_shared<detail::Bounded<T>>(executor);
        const Deadline bound = deadline;
        // The guard keeps the loop alive while a thread still owes it an answer.
        auto keep_loop = asio::prefer(executor, asio::execution::outstanding_work.tracked);
        asio::post(threads(), [state, keep_loop, function = std::move(function)]() mutable {
            auto outcome = std::make_shared<detail::Slot<T>>();
            std::exception_ptr failure;
            try {
                if constexpr (std::is_void_v<T>) {
                    function();
                    outcome->set();
                } else {
                    outcome->set(function());
                }
            } catch (...) {  // border of the thread: carried to the loop
                failure = std::current_exception();
            }
            asio::post(keep_loop, [state = std::move(state), outcome, failure] {
                state->slot = std::move(*outcome);
                state->failure = failure;
                state->done = true;
                state->ended.notify();
            });
        });
        while (!state->done) co_await state->ended.wait(bound);
        if (state->failure) std::rethrow_exception(state->failure);
        co_return state->slot.take();
    }

private:
    asio::thread_pool& threads() {
        if (!threads_) threads_ = std::make_unique<asio::thread_pool>(max_threads);
        return *threads_;
    }

    std::unique_ptr<asio::thread_pool> threads_;
};

}  // namespace ov
