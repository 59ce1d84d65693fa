#include "fleet/scheduler.hpp"

#include <doctest/doctest.h>

#include "async/event.hpp"
#include "fleet/report.hpp"
#include "support/run_loop.hpp"

using namespace std::chrono_literals;
using ov::Deadline;
using ov::Errc;
using ov::Outcome;

namespace {

struct Fixture {
    ov::EventStream stream{"run", [] { return std::chrono::system_clock::time_point{}; }};
    ov::ReportBuilder builder;
    std::vector<std::string> order;  ///< "+a" started, "-a" ended
    int at_work = 0, most_at_work = 0;

    Fixture() {
        stream.add([this](const ov::DeployEvent& event) {
            builder.on_event(event);
            if (std::holds_alternative<ov::event::VmStarted>(event.body)) order.push_back("+" + event.vm);
            if (std::holds_alternative<ov::event::VmFinished>(event.body)) order.push_back("-" + event.vm);
        });
    }

    /// Works for `duration`, then fails with `failure` if given.
    ov::VmWork work(const std::string& key, std::chrono::milliseconds duration, std::optional<Errc> failure = {},
                    const std::string& machine = {}) {
        ov::VmWork item;
        item.key = key;
        item.machine = machine.empty() ? key : machine;
        item.run = [this, duration, failure](ov::WorkSlot&, ov::EmitEvent emit, Deadline deadline) -> asio::awaitable<void> {
            emit(ov::event::PhaseStarted{ov::WorkPhase::steps});
            most_at_work = std::max(most_at_work, ++at_work);
            try {
                co_await ov::sleep_for(duration, deadline);
            } catch (const ov::Error&) {
                --at_work;
                throw;
            }
            --at_work;
            if (failure) throw ov::Error(*failure, "made to fail");
        };
        return item;
    }

    ov::Report run(std::vector<ov::VmWork> works, ov::FleetLimits limits, Deadline deadline = Deadline::unlimited()) {
        ov::event::RunStarted started;
        for (const auto& item : works) started.vms.push_back(item.key);
        stream.emit({}, started);
        ov::test::run([&]() -> asio::awaitable<void> { co_await ov::run_works(stream, std::move(works), limits, deadline); });
        return builder.finish(0, 0);
    }
};

Outcome outcome_of(const ov::Report& report, const std::string& key) {
    for (const auto& vm : report.vms)
        if (vm.vm == key) return vm.outcome;
    FAIL("no row for " << key);
    return Outcome::failed;
}

}  // namespace

TEST_CASE("at most --jobs machines are at work, and all get their turn") {
    Fixture fixture;
    std::vector<ov::VmWork> works;
    for (int i = 0; i < 20; ++i) works.push_back(fixture.work("m" + std::to_string(i), 5ms));
    ov::FleetLimits limits;
    limits.jobs = 3;
    const auto report = fixture.run(std::move(works), limits);
    CHECK(fixture.most_at_work == 3);
    CHECK(report.totals.ok == 20);
    CHECK(report.exit_code == 0);
}

TEST_CASE("a machine that waits to come up gives its place to the others") {
    Fixture fixture;
    ov::VmWork slow;
    slow.key = slow.machine = "slow";
    slow.run = [&](ov::WorkSlot& slot, ov::EmitEvent, Deadline deadline) -> asio::awaitable<void> {
        slot.release();
        co_await ov::sleep_for(100ms, deadline);
        co_await slot.acquire(deadline);
    };
    std::vector<ov::VmWork> works;
    works.push_back(slow);
    works.push_back(fixture.work("quick", 1ms));
    ov::FleetLimits limits;
    limits.jobs = 1;
    fixture.run(std::move(works), limits);
    CHECK(fixture.order == std::vector<std::string>{"+slow", "+quick", "-quick", "-slow"});
}

TEST_CASE("two deploys of one machine run one after another") {
    Fixture fixture;
    const auto report = fixture.run({fixture.work("a", 10ms, {}, "same"), fixture.work("b", 1ms, {}, "same")}, {});
    CHECK(fixture.order == std::vector<std::string>{"+a", "-a", "+b", "-b"});
    CHECK(report.totals.ok == 2);
}

TEST_CASE("--batch is a barrier") {
    Fixture fixture;
    ov::FleetLimits limits;
    limits.batch = ov::Share{2, false};
    fixture.run({fixture.work("a", 1ms), fixture.work("b", 20ms), fixture.work("c", 1ms)}, limits);
    CHECK(fixture.order == std::vector<std::string>{"+a", "+b", "-a", "-b", "+c", "-c"});
}

TEST_CASE("--max-fail: no new starts once failed, unreachable and timed out exceed it over the whole run (decisions 63)") {
    struct Row {
        const char* name;
        ov::Share share;
        std::size_t started;
    };
    const Row rows[] = {
        {"none tolerated", {0, false}, 1},        {"one tolerated", {1, false}, 2},
        {"10% of 10 is one", {10, true}, 2},      {"19% of 10 is one, rounded down", {19, true}, 2},
        {"more than there are", {10, false}, 10},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Fixture fixture;
        std::vector<ov::VmWork> works;
        const Errc kinds[] = {Errc::step_failed, Errc::unreachable, Errc::timed_out};
        for (int i = 0; i < 10; ++i) works.push_back(fixture.work("m" + std::to_string(i), 1ms, kinds[i % 3]));
        ov::FleetLimits limits;
        limits.jobs = 1;
        limits.max_fail = row.share;
        const auto report = fixture.run(std::move(works), limits);
        CHECK(fixture.order.size() == 2 * row.started);
        CHECK(static_cast<std::size_t>(report.totals.skipped) == 10 - row.started);
        CHECK(report.exit_code == 1);
    }
}

TEST_CASE("--fail-fast cancels what is running and starts nothing more") {
    Fixture fixture;
    ov::FleetLimits limits;
    limits.jobs = 2;
    limits.fail_fast = true;
    const auto report =
        fixture.run({fixture.work("bad", 5ms, Errc::step_failed), fixture.work("long", 60s), fixture.work("next", 1ms)}, limits);
    CHECK(outcome_of(report, "bad") == Outcome::failed);
    CHECK(outcome_of(report, "long") == Outcome::cancelled);
    CHECK(outcome_of(report, "next") == Outcome::skipped);
}

TEST_CASE("--timeout bounds the work on each machine, cancelling all is not a failure") {
    Fixture fixture;
    ov::FleetLimits limits;
    limits.timeout = 1s;
    auto report = fixture.run({fixture.work("late", 60s), fixture.work("fine", 1ms)}, limits);
    CHECK(outcome_of(report, "late") == Outcome::timed_out);
    CHECK(outcome_of(report, "fine") == Outcome::ok);

    Fixture second;
    const Deadline cut = Deadline::unlimited();
    auto canceller = second.work("canceller", 1ms);
    canceller.run = [cut](ov::WorkSlot&, ov::EmitEvent, Deadline) -> asio::awaitable<void> {
        cut.cancel();
        co_return;
    };
    report = second.run({second.work("long", 60s), canceller}, {}, cut);
    CHECK(outcome_of(report, "long") == Outcome::cancelled);
    CHECK(report.vms.front().phase == ov::WorkPhase::steps);
}

TEST_CASE("shares are numbers or percentages") {
    CHECK(ov::parse_share("5", "--batch").of(100) == 5);
    CHECK(ov::parse_share("20%", "--batch").of(9) == 1);
    for (const char* wrong : {"", "%", "-1", "x", "5x", "101%"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(ov::parse_share(wrong, "--batch"), ov::Error);
    }
}
