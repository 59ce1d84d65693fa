// One export for many readers: every reader gets all bytes, memory is bounded, a slow one holds nobody up.
#include "image/shared_export.hpp"

#include <doctest/doctest.h>

#include "async/task_group.hpp"
#include "support/engine.hpp"

using namespace std::chrono_literals;
using ov::Deadline;

namespace {

std::string piece(int i) {
    return std::string(1000, static_cast<char>('a' + i % 26));
}

class Pieces final : public ov::ByteSource {
public:
    explicit Pieces(int count, int fail_at = -1, bool strangely = false)
        : count_(count), fail_at_(fail_at), strangely_(strangely) {}
    asio::awaitable<std::string> next(Deadline) override {
        if (at_ == fail_at_ && strangely_) throw std::runtime_error("the export broke");
        if (at_ == fail_at_) throw ov::Error(ov::Errc::io, "the export broke");
        if (at_ == count_) co_return std::string();
        co_return piece(at_++);
    }

private:
    int count_, fail_at_, at_ = 0;
    bool strangely_;
};

struct Log {
    std::string bytes, problem;
    Deadline::Clock::time_point ended;
};

asio::awaitable<void> read_all(std::unique_ptr<ov::ImageStream> stream, Log& log, std::chrono::milliseconds pause,
                               Deadline deadline) {
    try {
        for (;;) {
            const auto chunk = co_await stream->next(deadline);
            if (!chunk) break;
            log.bytes += *chunk;
            if (pause.count() > 0) co_await ov::sleep_for(pause, deadline);
        }
    } catch (const std::exception& error) {
        log.problem = error.what();
    }
    log.ended = Deadline::Clock::now();
}

}  // namespace

TEST_CASE("every reader gets every byte; one that is slow goes on by itself and holds nobody up") {
    static constexpr int count = 400;
    std::string all;
    for (int i = 0; i < count; ++i) all += piece(i);
    Log logs[4];
    int exports = 0;
    std::size_t most = 0;
    const auto start = Deadline::Clock::now();
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        ov::SharedExport::Limits limits;
        limits.window = 20000;
        limits.patience = 20ms;
        const ov::ImageExport source = [] { return std::make_unique<Pieces>(count); };
        auto shared = std::make_shared<ov::SharedExport>(runtime.io.get_executor(), source, 4, limits);
        const Deadline deadline = Deadline::unlimited().child(30s);
        auto body = [&](ov::TaskGroup& group) -> asio::awaitable<void> {
            for (int i = 0; i < 4; ++i) group.spawn(read_all(shared->join(), logs[i], i == 3 ? 3ms : 0ms, deadline));
            co_return;
        };
        co_await ov::with_task_group(deadline, body);
        exports = shared->exports();
        most = shared->most_bytes();
    });
    for (const Log& log : logs) {
        CHECK(log.problem == "");
        CHECK(log.bytes == all);
    }
    CHECK(exports == 2);
    CHECK(most <= 21000);
    CHECK(logs[0].ended - start < 500ms);
    CHECK(logs[3].ended - start > 1s);
}

namespace {

class BigPieces final : public ov::ByteSource {
public:
    asio::awaitable<std::string> next(Deadline) override {
        if (++at_ > 120) co_return std::string();
        co_return std::string(256 * 1024, 'x');
    }

private:
    int at_ = 0;
};

/// How long seven readers take that need 10 ms a piece, beside an eighth that needs `slow` a piece.
std::chrono::duration<double> seven_beside(std::chrono::milliseconds slow, int& exports) {
    Log logs[8];
    const auto start = Deadline::Clock::now();
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const ov::ImageExport source = [] { return std::make_unique<BigPieces>(); };
        auto shared = std::make_shared<ov::SharedExport>(runtime.io.get_executor(), source, 8);
        const Deadline deadline = Deadline::unlimited().child(60s), enough = deadline.child(6s);
        auto body = [&](ov::TaskGroup& group) -> asio::awaitable<void> {
            for (int i = 0; i < 7; ++i) group.spawn(read_all(shared->join(), logs[i], 10ms, deadline));
            group.spawn(read_all(shared->join(), logs[7], slow, enough));
            co_return;
        };
        co_await ov::with_task_group(deadline, body);
        exports = shared->exports();
    });
    auto last = start;
    for (int i = 0; i < 7; ++i) last = std::max(last, logs[i].ended);
    return last - start;
}

}  // namespace

TEST_CASE("one reader for which all the others wait is let go before they feel it") {
    int exports = 0;
    const auto alone = seven_beside(10ms, exports);
    CHECK(exports == 1);
    const auto beside = seven_beside(250ms, exports);
    CHECK(exports == 2);
    MESSAGE("seven readers: " << alone.count() << " s, beside a throttled one " << beside.count() << " s");
    // Three seconds of patience would be felt.
    CHECK(beside.count() < alone.count() * 1.5 + 0.5);
}

TEST_CASE("an export that breaks is told to every reader") {
    Log logs[3];
    ov::ImageExport source;
    SUBCASE("with an error") {
        source = [] { return std::make_unique<Pieces>(50, 20); };
    }
    SUBCASE("with an exception that is none of ours") {
        source = [] { return std::make_unique<Pieces>(50, 20, true); };
    }
    SUBCASE("before it begins") {
        source = []() -> std::unique_ptr<ov::ByteSource> { throw std::runtime_error("the export broke"); };
    }
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        auto shared = std::make_shared<ov::SharedExport>(runtime.io.get_executor(), source, 3);
        const Deadline deadline = Deadline::unlimited().child(30s);
        auto body = [&](ov::TaskGroup& group) -> asio::awaitable<void> {
            for (Log& log : logs) group.spawn(read_all(shared->join(), log, 0ms, deadline));
            co_return;
        };
        co_await ov::with_task_group(deadline, body);
    });
    for (const Log& log : logs) CHECK(log.problem == "the export broke");
}

TEST_CASE("an expected reader that does not come is waited for a moment only; one that comes late has an export of its own") {
    Log first, late;
    int exports = 0;
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        ov::SharedExport::Limits limits;
        limits.gathering = 50ms;
        const ov::ImageExport source = [] { return std::make_unique<Pieces>(5); };
        auto shared = std::make_shared<ov::SharedExport>(runtime.io.get_executor(), source, 2, limits);
        const Deadline deadline = Deadline::unlimited().child(30s);
        co_await read_all(shared->join(), first, 0ms, deadline);
        co_await read_all(shared->join(), late, 0ms, deadline);
        exports = shared->exports();
    });
    CHECK(first.bytes.size() == 5000);
    CHECK(late.bytes == first.bytes);
    CHECK(exports == 2);
}
