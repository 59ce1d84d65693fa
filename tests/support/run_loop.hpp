// Runs a coroutine to its end, or stops after every possible number of event loop steps and destroys everything.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <functional>

#include "async/sigpipe_guard.hpp"

namespace ov::test {

/// Runs `body` on a fresh loop until it ends; rethrows what it throws.
inline void run(std::function<asio::awaitable<void>()> body) {
    const SigpipeGuard pipes;
    asio::io_context io{1};
    std::exception_ptr failure;
    asio::co_spawn(io, body(), [&](std::exception_ptr error) { failure = error; });
    io.run();
    if (failure) std::rethrow_exception(failure);
}

/// For i = 1, 2, ...: runs `body` for i steps of the loop, then destroys loop and frames, until a run reaches the end.
/// Leaks and uses after free show under ASan. Returns the number of steps of the complete run.
inline int stop_after_each_step(std::function<asio::awaitable<void>()> body, int limit = 10000) {
    const SigpipeGuard pipes;
    for (int steps = 1; steps < limit; ++steps) {
        asio::io_context io{1};
        bool ended = false;
        asio::co_spawn(io, body(), [&](std::exception_ptr) { ended = true; });
        for (int i = 0; i < steps && !ended && io.run_one() > 0; ++i) {
        }
        if (ended) return steps;
    }
    return limit;
}

}  // namespace ov::test
