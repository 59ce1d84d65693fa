// Waiting for a file lock without keeping a thread: many machines may wait for one download.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "async/blocking_pool.hpp"
#include "ov/deadline.hpp"
#include "state/state_file.hpp"

namespace ov::state {

/// Error{busy} "<what>: <file>: locked by process N" when `wait` has passed; the deadline's error when that ends first.
asio::awaitable<FileLock> lock_async(BlockingPool& pool, std::string path, std::string what, Deadline deadline,
                                     Deadline::Duration wait);

}  // namespace ov::state
