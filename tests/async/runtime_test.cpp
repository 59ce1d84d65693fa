// The engine's loop beside what an embedding program has on it.
#include "async/runtime.hpp"

#include <doctest/doctest.h>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>

#include "async/event.hpp"

using namespace std::chrono_literals;

TEST_CASE("work before a run ends although signals and timers of the embedding program wait on the loop") {
    ov::Runtime runtime(1);
    asio::signal_set signals(runtime.io, SIGUSR2);
    signals.async_wait([](asio::error_code, int) {});
    int ticks = 0;
    asio::steady_timer timer(runtime.io, 1ms);
    timer.async_wait([&](asio::error_code error) { ticks += error ? 0 : 1; });
    const auto sleep = []() -> asio::awaitable<void> { co_await ov::sleep_for(20ms, ov::Deadline::unlimited()); };
    runtime.run_until_done(sleep());
    CHECK(ticks == 1);
    const auto fail = []() -> asio::awaitable<void> {
        co_await ov::sleep_for(1ms, ov::Deadline::unlimited());
        throw ov::Error(ov::Errc::not_found, "nothing");
    };
    CHECK_THROWS_AS(runtime.run_until_done(fail()), ov::Error);
}
