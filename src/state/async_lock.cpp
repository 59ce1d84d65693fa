#include "state/async_lock.hpp"

#include <fmt/format.h>

#include "async/event.hpp"
#include "ov/error.hpp"

namespace ov::state {

asio::awaitable<FileLock> lock_async(BlockingPool& pool, std::string path, std::string what, Deadline deadline,
                                     Deadline::Duration wait) {
    const auto end = Deadline::Clock::now() + wait;
    auto pause = std::chrono::milliseconds(5);
    const auto attempt = [path]() -> std::shared_ptr<FileLock> {
        return std::make_shared<FileLock>(FileLock::acquire(path, std::chrono::milliseconds(0)));
    };
    for (;;) {
        std::string busy;
        try {
            const std::shared_ptr<FileLock> held = co_await pool.run(deadline, attempt);
            co_return std::move(*held);
        } catch (const Error& error) {
            if (error.code() != Errc::busy) throw;
            busy = error.what();
        }
        if (Deadline::Clock::now() >= end) throw Error(Errc::busy, fmt::format("{}: {}", what, busy));
        co_await sleep_for(pause, deadline);
        pause = std::min(pause * 2, std::chrono::milliseconds(200));
    }
}

}  // namespace ov::state
