#include "async/backoff.hpp"

#include <doctest/doctest.h>

#include "support/run_loop.hpp"

using namespace std::chrono_literals;

TEST_CASE("decision 14: the attempt times of 1000 seeded runs stay in the envelope of the back-off") {
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        ov::Backoff backoff({}, seed);
        double bound = 100;
        for (int i = 0; i < 40; ++i) {
            const auto delay = backoff.next();
            REQUIRE(delay >= 0ms);
            REQUIRE(delay <= std::chrono::milliseconds(static_cast<long>(std::min(bound, 5000.0))));
            bound *= 1.6;
        }
    }
}

TEST_CASE("the same seed gives the same delays, and a minimum is kept") {
    ov::Backoff a({}, 7), b({}, 7);
    for (int i = 0; i < 20; ++i) CHECK(a.next() == b.next());
    CHECK(a.next(6000ms) >= 6000ms);
}

TEST_CASE("retry on a fake clock tries until done, sleeps the back-off, and ends with the deadline") {
    std::chrono::milliseconds now{0};
    std::vector<std::chrono::milliseconds> tries;
    auto sleeper = [&](ov::Deadline::Duration duration, ov::Deadline) -> asio::awaitable<void> {
        now += std::chrono::duration_cast<std::chrono::milliseconds>(duration);
        if (now > 120s) throw ov::Error(ov::Errc::timed_out, "budget");
        co_return;
    };
    auto attempt = [&](std::chrono::milliseconds& least) -> asio::awaitable<bool> {
        tries.push_back(now);
        if (tries.size() == 3) least = 5s;
        co_return now >= 30s;
    };
    ov::test::run(
        [&]() -> asio::awaitable<void> { co_await ov::retry(ov::Deadline::unlimited(), ov::Backoff({}, 1), attempt, sleeper); });
    CHECK(now >= 30s);
    CHECK(now <= 35s);  // at most one cap later than the moment of readiness
    CHECK(tries[3] - tries[2] >= 5s);
}
