// What one engine needs to run: an event loop, the blocking pool, a source of seeds. Two engines in one process are fine.
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>

#include "async/blocking_pool.hpp"

namespace ov {

struct Runtime {
    explicit Runtime(std::uint64_t seed_value) : seed(seed_value) {}

    asio::io_context io{1};
    BlockingPool pool;   // after `io`: its threads are joined before the loop goes away
    std::uint64_t seed;  ///< base of all jitter; tests fix it

    std::uint64_t next_seed() noexcept { return seed += 0x9e3779b97f4a7c15ULL; }
};

}  // namespace ov
