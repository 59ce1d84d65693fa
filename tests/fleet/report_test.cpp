#include "fleet/report.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>

using namespace ov;

namespace {

VmReport vm_with(Outcome outcome, std::optional<Errc> error = {}) {
    VmReport vm;
    vm.vm = "x";
    vm.outcome = outcome;
    vm.error = error;
    return vm;
}

DeployEvent of(std::string vm, EventBody body) {
    return {1, {}, "r", std::move(vm), std::move(body)};
}

Report sample() {
    ReportBuilder builder;
    builder.on_event(of("", event::RunStarted{"fleet add", {"a", "b", "c"}, 2}));
    builder.set_log("b", "logs/b.log");
    builder.on_event(of("a", event::VmStarted{"web", "1", "10.0.0.1"}));
    builder.on_event(of("a", event::Output{"noise\n", false}));
    builder.on_event(of("a", event::VmFinished{Outcome::ok, WorkPhase::state, "", 0, 1.5, "", {}}));
    builder.on_event(of("b", event::VmStarted{"web", "2", "10.0.0.2"}));
    for (int i = 1; i <= 30; ++i) builder.on_event(of("b", event::Output{"line " + std::to_string(i) + "\n", false}));
    builder.on_event(of("b", event::Output{"no newline", true}));
    builder.on_event(of("", event::Note{Severity::warning, "dploy: unknown key"}));
    builder.on_event(of("b", event::Note{Severity::warning, "[skip] a service"}));
    builder.on_event(of("b", event::Note{Severity::note, "waiting"}));
    builder.on_event(
        of("b", event::VmFinished{Outcome::failed, WorkPhase::steps, "base", 3, 12.25, "exit status 7", Errc::step_failed}));
    return builder.finish(13, 0);
}

}  // namespace

TEST_CASE("decision 63: the exit status follows from the outcomes") {
    struct Row {
        const char* name;
        std::vector<VmReport> vms;
        int signal, expected;
    };
    const Row rows[] = {
        {"nothing to do", {}, 0, 0},
        {"all ok", {vm_with(Outcome::ok), vm_with(Outcome::ok)}, 0, 0},
        {"one failed", {vm_with(Outcome::ok), vm_with(Outcome::failed, Errc::step_failed)}, 0, 1},
        {"unreachable", {vm_with(Outcome::unreachable, Errc::host_key)}, 0, 1},
        {"timed out", {vm_with(Outcome::timed_out, Errc::timed_out)}, 0, 1},
        {"never started", {vm_with(Outcome::ok), vm_with(Outcome::skipped)}, 0, 1},
        {"only checks failed", {vm_with(Outcome::ok), vm_with(Outcome::failed, Errc::checks_failed)}, 0, 2},
        {"checks and a step failed",
         {vm_with(Outcome::failed, Errc::checks_failed), vm_with(Outcome::failed, Errc::step_failed)},
         0,
         1},
        {"interrupted", {vm_with(Outcome::cancelled, Errc::cancelled)}, SIGINT, 130},
        {"terminated, even if all were ok by then", {vm_with(Outcome::ok)}, SIGTERM, 143},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(exit_code_of(row.vms, row.signal) == row.expected);
    }
}

TEST_CASE("the report keeps the order of the run, counts outcomes and names machines that never started") {
    const auto report = sample();
    REQUIRE(report.vms.size() == 3);
    CHECK(report.vms[0].vm == "a");
    CHECK(report.vms[0].last_lines.empty());
    CHECK(report.vms[1].last_lines.size() == 21);
    CHECK(report.vms[1].last_lines.front() == "line 11");
    CHECK(report.vms[1].last_lines.back() == "no newline");
    CHECK(report.vms[2].outcome == Outcome::skipped);
    CHECK(report.totals == Totals{1, 1, 0, 0, 0, 1});
    CHECK(report.exit_code == 1);
}

TEST_CASE("decision 62: the JSON report has the documented members") {
    const auto json = nlohmann::json::parse(to_json(sample()));
    CHECK(json["schema"] == 1);
    CHECK(json["command"] == "fleet add");
    CHECK(json["totals"]["skipped"] == 1);
    const auto& vm = json["vms"][1];
    for (const char* key :
         {"vm", "entity", "instance", "host", "outcome", "phase", "layer", "step", "seconds", "reason", "log", "last_lines"}) {
        CAPTURE(key);
        CHECK(vm.contains(key));
    }
    CHECK(vm["outcome"] == "failed");
    CHECK(vm["phase"] == "steps");
    CHECK(vm["seconds"] == 12.25);
    CHECK(vm["log"] == "logs/b.log");
    CHECK(json["warnings"] == nlohmann::json{"dploy: unknown key"});
    CHECK(vm["warnings"] == nlohmann::json{"[skip] a service"});
    CHECK(vm["notes"] == nlohmann::json{"waiting"});
}

TEST_CASE("the JSON report has what a machine was asked for: plans, what would be undone, what is deployed") {
    const struct {
        Finding finding;
        const char* member;
        nlohmann::json value;
    } rows[] = {
        {{"a", "deployed: ten", Finding::Kind::status}, "status", "deployed: ten"},
        {{"a", R"([{"Layer":"ten"}])", Finding::Kind::plans}, "plans", {{{"Layer", "ten"}}}},
        {{"a", "", Finding::Kind::plans}, "plans", nlohmann::json::array()},
        {{"a", "ten: rm x\nten: rm y\n", Finding::Kind::undo}, "undo", {"ten: rm x", "ten: rm y"}},
        {{"a", "", Finding::Kind::removed}, "removed", nlohmann::json::array()},
        {{"a", R"({"sent":true})", Finding::Kind::image}, "image", {{"sent", true}}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.member);
        Report report = sample();
        report.vms[0].finding = row.finding;
        const auto json = nlohmann::json::parse(to_json(report));
        CHECK(json["vms"][0][row.member] == row.value);
        CHECK_FALSE(json["vms"][1].contains(row.member));
    }
}

TEST_CASE("a line that names the machine shows the rest of what went wrong, cut in the table") {
    CHECK(own_words("web", "10.0.0.1", "web: refused") == "refused");
    CHECK(own_words("web", "10.0.0.1", "web (10.0.0.1:22): connect: refused; not ready after 2 tries") ==
          "10.0.0.1:22: connect: refused; not ready after 2 tries");
    CHECK(own_words("web", "10.0.0.1", "webs: refused") == "webs: refused");
    Report report = sample();
    report.vms[1].reason = std::string(200, 'x');
    CHECK(to_table(report, 20).find("  " + std::string(19, 'x') + "…\n") != std::string::npos);
}

TEST_CASE("--retry-failed selects every outcome but ok and refuses what is not a report") {
    CHECK(not_ok_in(to_json(sample())) == std::vector<std::string>{"b", "c"});
    for (const char* text : {"", "[]", "{}", R"({"schema":2,"vms":[]})", R"({"schema":1})", R"({"schema":1,"vms":[{"vm":1}]})"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(not_ok_in(text), Error);
    }
}

TEST_CASE("the table lists every machine, then totals, then the last lines of those that are not ok") {
    const auto text = to_table(sample());
    CHECK(
        text.starts_with("VM  OUTCOME  PHASE         TIME    REASON\n"
                         "a   ok                     1.5 s\n"
                         "b   failed   steps base/3  12.2 s  exit status 7\n"
                         "c   skipped  resolve       0.0 s\n"
                         "1 ok, 1 failed, 1 skipped of 3 in 13.0 s\n"));
    CHECK(text.find("-- b: last lines (all in logs/b.log)\nline 11\n") != std::string::npos);
    CHECK(text.find("noise") == std::string::npos);
}
