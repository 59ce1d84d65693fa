#include "fleet/progress.hpp"

#include <doctest/doctest.h>

using namespace ov;
using namespace std::chrono_literals;

namespace {

struct Screen {
    std::chrono::steady_clock::time_point now{};
    std::string text;
    Progress::Size size{60, 10};
    Progress progress;

    explicit Screen(ProgressMode mode)
        : progress(
              mode, [this] { return now; }, [this](std::string_view part) { text += part; }, [this] { return size; }) {}

    void feed(std::string vm, EventBody body, std::chrono::milliseconds later = 200ms) {
        now += later;
        progress.on_event({1, {}, "r", std::move(vm), std::move(body)});
    }
    std::string take() { return std::exchange(text, {}); }
};

std::vector<std::string> keys(int count) {
    std::vector<std::string> all;
    for (int i = 1; i <= count; ++i) all.push_back("m" + std::to_string(i));
    return all;
}

}  // namespace

TEST_CASE("the terminal shows one line per machine at work and a line of totals") {
    Screen screen(ProgressMode::tty);
    screen.feed("", event::RunStarted{"fleet add", keys(3), 2});
    screen.feed("m1", event::VmStarted{});
    screen.feed("m2", event::VmStarted{});
    screen.feed("m2", event::StepStarted{"base", 3, 10, "Task", "task 3: mkdir /srv/a/very/long/path/that/does/not/fit"});
    screen.now += 61s;
    const auto lines = screen.progress.lines({60, 10});
    REQUIRE(lines.size() == 3);
    CHECK(lines[0] == " 1m01s  m1  starting");
    CHECK(lines[1] == " 1m01s  m2  base 3/10: task 3: mkdir /srv/a/very/long/path…");
    CHECK(lines[2] == "0 of 3 done, 2 at work, 1m01s");
}

TEST_CASE("the drawing is replaced in place, and what ended stays above it") {
    Screen screen(ProgressMode::tty);
    screen.feed("", event::RunStarted{"fleet add", keys(2), 2});
    screen.feed("m1", event::VmStarted{});
    screen.take();
    screen.feed("m1", event::VmFinished{Outcome::failed, WorkPhase::steps, "l", 1, 2.0, "exit status 1", Errc::step_failed});
    CHECK(screen.take() == "\x1b[2A\r\x1b[Jm1: failed after 2.0 s: exit status 1\n1 of 2 done, 1 not ok, 0 at work, 0s\n");
    screen.progress.clear();
    CHECK(screen.take() == "\x1b[1A\r\x1b[J");
}

TEST_CASE("quiet says warnings and nothing else; the reason of a single machine is left to the end of the run") {
    Screen quiet(ProgressMode::quiet);
    quiet.feed("", event::RunStarted{"deploy add", keys(1), 1});
    quiet.feed("m1", event::Note{Severity::note, "waiting"});
    quiet.feed("m1", event::Note{Severity::warning, "[skip] a service"});
    quiet.feed("m1", event::VmFinished{});
    CHECK(quiet.take() == "m1: warning: [skip] a service\n");
    Screen plain(ProgressMode::plain);
    plain.feed("", event::RunStarted{"deploy add", keys(1), 1});
    plain.feed("m1", event::VmFinished{Outcome::failed, WorkPhase::steps, "l", 1, 2.0, "exit status 1", Errc::step_failed});
    CHECK(plain.take() == "m1: failed after 2.0 s\n");
}

TEST_CASE("more machines than rows: the longest at work are shown, the rest is counted") {
    Screen screen(ProgressMode::tty);
    screen.feed("", event::RunStarted{"fleet add", keys(20), 20});
    for (const auto& key : keys(20)) screen.feed(key, event::VmStarted{});
    const auto lines = screen.progress.lines({60, 10});
    REQUIRE(lines.size() == 9);
    CHECK(lines[0].ends_with("m1  starting"));
    CHECK(lines[7] == "        and 13 more at work");
}

TEST_CASE("quick events are not drawn one by one") {
    Screen screen(ProgressMode::tty);
    screen.feed("", event::RunStarted{"fleet add", keys(1), 1});
    screen.feed("m1", event::VmStarted{});
    screen.take();
    for (int i = 0; i < 50; ++i) screen.feed("m1", event::StepStarted{"l", i, 50, "Task", "x"}, 1ms);
    CHECK(screen.take().empty());
}

TEST_CASE("without a terminal a big fleet names what ended, a small one also phases and steps") {
    for (const int count : {2, 50}) {
        CAPTURE(count);
        Screen screen(ProgressMode::plain);
        screen.feed("", event::RunStarted{"fleet add", keys(count), 2});
        screen.feed("m1", event::VmStarted{});
        screen.feed("m1", event::PhaseStarted{WorkPhase::connect});
        screen.feed("m1", event::Note{Severity::warning, "clock is off"});
        screen.feed("m1", event::VmFinished{Outcome::ok, WorkPhase::state, "", 0, 0.42, "", {}});
        CHECK(screen.take() ==
              (count == 2 ? std::string("m1: connect\n") : "") + "m1: warning: clock is off\nm1: ok after 0.4 s\n");
    }
}

TEST_CASE("progress none is silent") {
    Screen screen(ProgressMode::none);
    screen.feed("m1", event::Note{Severity::error, "x"});
    screen.progress.refresh();
    CHECK(screen.take().empty());
}
