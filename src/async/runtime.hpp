// What one engine needs to run: an event loop, the blocking pool, a source of seeds. Two engines in one process are fine.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <cstdint>
#include <exception>
#include <utility>

#include "async/blocking_pool.hpp"

namespace ov {

struct Runtime {
    explicit Runtime(std::uint64_t seed_value) : seed(seed_value) {}

    asio::io_context io{1};
    BlockingPool pool;   // after `io`: its threads are joined before the loop goes away
    std::uint64_t seed;  ///< base of all jitter; tests fix it

    /// Runs the loop until `work` has ended and rethrows what it throws. What else waits on the loop - an embedding program's
    /// signals and timers - is served meanwhile and goes on waiting afterwards.
    void run_until_done(asio::awaitable<void> work) {
        bool done = false;
        std::exception_ptr failure;
        io.restart();
        asio::co_spawn(io, std::move(work), [&](std::exception_ptr error) {
            failure = error;
            done = true;
        });
        while (!done) io.run_one();
        if (failure) std::rethrow_exception(failure);
    }

    std::uint64_t next_seed() noexcept { return seed += 0x9e3779b97f4a7c15ULL; }
};

}  // namespace ov
