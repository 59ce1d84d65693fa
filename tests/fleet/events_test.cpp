#include "fleet/events.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace ov;
using Time = std::chrono::system_clock::time_point;

namespace {

Time at(long long milliseconds) {
    return Time(std::chrono::milliseconds(milliseconds));
}

}  // namespace

TEST_CASE("decision 61: every event is one JSON line with version, sequence, time, run and machine") {
    struct Row {
        const char* vm;
        EventBody body;
        const char* members;
    };
    const Row rows[] = {
        {"", event::RunStarted{"fleet add", {"a", "b"}, 2},
         R"("event":"run_started","command":"fleet add","vms":["a","b"],"jobs":2})"},
        {"a", event::VmStarted{"web", "1", "h"}, R"("vm":"a","event":"vm_started","entity":"web","instance":"1","host":"h"})"},
        {"a", event::PhaseStarted{WorkPhase::ready}, R"("vm":"a","event":"phase_started","phase":"ready"})"},
        {"a", event::PhaseFinished{WorkPhase::ready, 1.23456},
         R"("vm":"a","event":"phase_finished","phase":"ready","seconds":1.235})"},
        {"a", event::StepStarted{"l", 2, 9, "Task", "task 2: mkdir /x"},
         R"("vm":"a","event":"step_started","layer":"l","step":2,"of":9,"kind":"Task","summary":"task 2: mkdir /x"})"},
        {"a", event::StepFinished{"l", 2, 9, StepState::failed, 7, 0.5, ""},
         R"("vm":"a","event":"step_finished","layer":"l","step":2,"of":9,"state":"failed","status":7,"seconds":0.5})"},
        {"a", event::Output{"hi \"x\"\n", true}, R"("vm":"a","event":"output","stream":"err","text":"hi \"x\"\n"})"},
        {"a", event::Transfer{"image", 10, 20}, R"("vm":"a","event":"transfer","what":"image","bytes":10,"total":20})"},
        {"a", event::Note{Severity::warning, "w"}, R"("vm":"a","event":"note","severity":"warning","text":"w"})"},
        {"a", event::VmFinished{Outcome::failed, WorkPhase::steps, "l", 2, 3, "exit 7", Errc::step_failed},
         R"("vm":"a","event":"vm_finished","outcome":"failed","phase":"steps","layer":"l","step":2,"seconds":3.0,"reason":"exit 7","error":"step_failed"})"},
        {"", event::RunFinished{1, 4, {1, 1, 0, 0, 0, 0}},
         R"("event":"run_finished","exit_code":1,"seconds":4.0,"totals":{"ok":1,"failed":1,"unreachable":0,"timed_out":0,"cancelled":0,"skipped":0}})"},
    };
    std::vector<std::string> lines;
    EventStream stream("r1", [] { return at(1'777'629'600'123); });
    stream.add([&](const DeployEvent& event) { lines.push_back(to_json_line(event)); });
    for (const auto& row : rows) stream.emit(row.vm, row.body);
    REQUIRE(lines.size() == std::size(rows));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CHECK(lines[i] ==
              R"({"v":1,"seq":)" + std::to_string(i + 1) + R"(,"time":"2026-05-01T10:00:00.123Z","run":"r1",)" + rows[i].members);
        CHECK(nlohmann::json::accept(lines[i]));
    }
}

TEST_CASE("output that is not UTF-8 still makes valid JSON") {
    const auto line = to_json_line({1, at(0), "r", "a", event::Output{"\xff\xfe ok", false}});
    CHECK(nlohmann::json::accept(line));
    CHECK(line.find("ok") != std::string::npos);
}

TEST_CASE("every consumer sees every event in the same order") {
    std::vector<std::uint64_t> first, second;
    EventStream stream("r", [] { return at(0); });
    stream.add([&](const DeployEvent& event) { first.push_back(event.seq); });
    stream.add([&](const DeployEvent& event) { second.push_back(event.seq); });
    const auto emit = stream.emitter("a");
    for (int i = 0; i < 3; ++i) emit(event::PhaseStarted{});
    CHECK(first == std::vector<std::uint64_t>{1, 2, 3});
    CHECK(first == second);
}
