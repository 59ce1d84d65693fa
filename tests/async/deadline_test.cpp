#include "ov/deadline.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "async/blocking_pool.hpp"
#include "async/event.hpp"
#include "async/task_group.hpp"
#include "async/with_deadline.hpp"
#include "support/run_loop.hpp"

using namespace std::chrono_literals;
using ov::Deadline;
using ov::Errc;

namespace {

template <class Function>
Errc code_of(Function function) {
    try {
        function();
    } catch (const ov::Error& error) {
        return error.code();
    }
    return Errc::internal;
}

asio::awaitable<int> value_after(std::chrono::milliseconds delay, int value) {
    co_await ov::sleep_for(delay, Deadline::unlimited());
    co_return value;
}

asio::awaitable<int> failure_after(std::chrono::milliseconds delay) {
    co_await ov::sleep_for(delay, Deadline::unlimited());
    throw ov::Error(Errc::step_failed, "from the work");
}

asio::awaitable<void> never() {
    asio::steady_timer timer(co_await asio::this_coro::executor, Deadline::Clock::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> cancel_after(Deadline deadline, std::chrono::milliseconds delay) {
    co_await ov::sleep_for(delay, Deadline::unlimited());
    deadline.cancel();
}

}  // namespace

TEST_CASE("a child never outlives or exceeds its parent") {
    const Deadline root = Deadline::unlimited("web");
    const Deadline parent = root.child(1h, "connect");
    CHECK(parent.child(2h).at() == parent.at());
    CHECK(parent.child(1s).at() < parent.at());
    CHECK(parent.child(1s, "banner").prefix() == "web: connect: banner");
    const Deadline child = parent.child(1s);
    parent.cancel();
    CHECK(child.cancelled());
    CHECK_FALSE(root.cancelled());
    CHECK(parent.child(1s).cancelled());
}

TEST_CASE("cancelling a child leaves its parent and its siblings alone") {
    const Deadline parent = Deadline::unlimited();
    const Deadline first = parent.child(), second = parent.child();
    first.cancel();
    CHECK_FALSE(parent.cancelled());
    CHECK_FALSE(second.cancelled());
}

TEST_CASE("a callback runs once, and never after its registration went away") {
    const Deadline deadline = Deadline::unlimited();
    int kept = 0, dropped = 0, late = 0;
    const auto registration = deadline.on_cancel([&] { ++kept; });
    {
        const auto gone = deadline.on_cancel([&] { ++dropped; });
    }
    deadline.cancel();
    deadline.cancel();
    const auto after = deadline.on_cancel([&] { ++late; });
    CHECK(kept == 1);
    CHECK(dropped == 0);
    CHECK(late == 1);
}

TEST_CASE("with_deadline: a value in time is returned, a failure is rethrown at once, time and cancel are told apart") {
    ov::test::run([]() -> asio::awaitable<void> {
        const Deadline root = Deadline::unlimited();
        const int value = co_await ov::with_deadline(root.child(5s), value_after(1ms, 7));
        CHECK(value == 7);

        const auto before = Deadline::Clock::now();
        Errc code{};
        try {
            co_await ov::with_deadline(root.child(5s), failure_after(1ms));
        } catch (const ov::Error& error) {
            code = error.code();
        }
        CHECK(code == Errc::step_failed);
        CHECK(Deadline::Clock::now() - before < 2s);

        try {
            co_await ov::with_deadline(root.child(5ms), never());
        } catch (const ov::Error& error) {
            code = error.code();
        }
        CHECK(code == Errc::timed_out);

        const Deadline stopped = root.child();
        asio::co_spawn(co_await asio::this_coro::executor, cancel_after(stopped, 5ms), [](std::exception_ptr) {});
        try {
            co_await ov::with_deadline(stopped, never());
        } catch (const ov::Error& error) {
            code = error.code();
        }
        CHECK(code == Errc::cancelled);
    });
}

TEST_CASE("a task group joins all children, cancels the siblings of a failure and throws that failure") {
    ov::test::run([]() -> asio::awaitable<void> {
        int finished = 0, cancelled = 0;
        auto patient = [&](Deadline deadline) -> asio::awaitable<void> {
            try {
                co_await ov::sleep_for(1h, deadline);
            } catch (const ov::Error& error) {
                if (error.code() == Errc::cancelled) ++cancelled;
                throw;
            }
        };
        auto quick = [&]() -> asio::awaitable<void> {
            ++finished;
            co_return;
        };
        auto failing = []() -> asio::awaitable<void> { co_await failure_after(2ms); };
        auto body = [&](ov::TaskGroup& group) -> asio::awaitable<void> {
            group.spawn(patient(group.deadline()));
            group.spawn(patient(group.deadline()));
            group.spawn(quick());
            group.spawn(failing());
            co_return;
        };
        Errc code{};
        try {
            co_await ov::with_task_group(Deadline::unlimited(), body);
        } catch (const ov::Error& error) {
            code = error.code();
        }
        CHECK(code == Errc::step_failed);
        CHECK(finished == 1);
        CHECK(cancelled == 2);
    });
}

TEST_CASE("the blocking pool returns values and exceptions, and abandons a call when the deadline ends") {
    ov::BlockingPool* shared = nullptr;
    asio::io_context io{1};
    ov::BlockingPool pool;
    shared = &pool;
    auto body = [shared]() -> asio::awaitable<void> {
        const Deadline root = Deadline::unlimited();
        const int value = co_await shared->run(root, [] { return 42; });
        CHECK(value == 42);
        Errc code{};
        try {
            co_await shared->run(root, [] { throw ov::Error(Errc::io, "disk"); });
        } catch (const ov::Error& error) {
            code = error.code();
        }
        CHECK(code == Errc::io);
        try {
            co_await shared->run(root.child(5ms), [] { std::this_thread::sleep_for(50ms); });
        } catch (const ov::Error& error) {
            code = error.code();
        }
        CHECK(code == Errc::timed_out);
    };
    std::exception_ptr failure;
    asio::co_spawn(io, body(), [&](std::exception_ptr error) { failure = error; });
    io.run();
    CHECK_FALSE(failure);
}

TEST_CASE("every primitive may be destroyed after any number of loop steps") {
    struct Row {
        const char* name;
        std::function<asio::awaitable<void>()> body;
    };
    const Row rows[] = {
        {"with_deadline, value",
         []() -> asio::awaitable<void> { co_await ov::with_deadline(Deadline::unlimited().child(1s), value_after(1ms, 1)); }},
        {"with_deadline, failure",
         []() -> asio::awaitable<void> { co_await ov::with_deadline(Deadline::unlimited().child(1s), failure_after(1ms)); }},
        {"with_deadline, expiry",
         []() -> asio::awaitable<void> { co_await ov::with_deadline(Deadline::unlimited().child(2ms), never()); }},
        {"task group",
         []() -> asio::awaitable<void> {
             auto body = [](ov::TaskGroup& group) -> asio::awaitable<void> {
                 group.spawn(ov::sleep_for(1ms, group.deadline()));
                 group.spawn(ov::sleep_for(2ms, group.deadline()));
                 co_await ov::sleep_for(1ms, group.deadline());
             };
             co_await ov::with_task_group(Deadline::unlimited(), body);
         }},
        {"task group, cancelled",
         []() -> asio::awaitable<void> {
             const Deadline deadline = Deadline::unlimited().child(3ms);
             auto body = [](ov::TaskGroup& group) -> asio::awaitable<void> {
                 group.spawn(ov::sleep_for(1h, group.deadline()));
                 group.spawn(cancel_after(group.deadline(), 1ms));
                 co_return;
             };
             co_await ov::with_task_group(deadline, body);
         }},
        {"event",
         []() -> asio::awaitable<void> {
             ov::Event event(co_await asio::this_coro::executor);
             co_await event.wait(Deadline::unlimited().child(1ms));
         }},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(ov::test::stop_after_each_step(row.body) < 10000);
    }
}

TEST_CASE("check() tells cancelled from expired") {
    const Deadline cancelled = Deadline::unlimited();
    cancelled.cancel();
    CHECK(code_of([&] { cancelled.check(); }) == Errc::cancelled);
    CHECK(code_of([&] { Deadline::unlimited().child(0s).check(); }) == Errc::timed_out);
}
