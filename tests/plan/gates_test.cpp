// install-plan.md 11 and I5, decisions 6 and 7.
#include "ov/gates.hpp"

#include <doctest/doctest.h>

#include "ov/error.hpp"
#include "support/compile_on.hpp"
#include "support/text_layer.hpp"

namespace {

std::vector<ov::InstallPlan> plans() {
    return {ov::compile(ov::test::layer_of(R"(
layer:
  distro: {fedora: {package: [x], copr: [o/p]}}
  task: [{cmd: root}, {cmd: user, user: "${USER}"}, {mkdir: /x}]
  service: [{name: s, exec: /bin/s}]
)"),
                        ov::test::target("fedora:43"))};
}

std::string names(const std::vector<ov::GatedStep>& steps) {
    std::string text;
    for (const ov::GatedStep& step : steps) text += (text.empty() ? "" : " ") + step.kind;
    return text;
}

}  // namespace

TEST_CASE("install-plan 11 gates (I5): what is refused, skipped and listed") {
    struct Row {
        const char* rule;
        ov::GateOptions options;
        const char *refused, *skipped, *root;
    };
    const Row rows[] = {
        {"a VM without options: repositories refused, services skipped, root tasks run",
         {},
         "SystemPackages",
         "ServiceCustom",
         "Task"},
        {"a shared machine: root tasks need an opt-in", {{}, {}, {}, false, true}, "SystemPackages", "Task ServiceCustom", ""},
        {"a shared machine with the opt-in", {{}, true, {}, false, true}, "SystemPackages", "ServiceCustom", "Task"},
        {"root tasks can be closed on a VM", {{}, false, {}, false, false}, "SystemPackages", "Task ServiceCustom", ""},
        {"services opened", {{}, {}, true, false, false}, "SystemPackages", "", "Task"},
        {"repositories opened", {true, {}, {}, false, false}, "", "ServiceCustom", "Task"},
        {"yes opens all three (decision 6)", {{}, {}, {}, true, true}, "", "", "Task"},
        {"yes opens what was said no to", {false, false, false, true, true}, "", "", "Task"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const auto all = plans();
        const ov::GateReport report = ov::evaluate_gates(all, row.options);
        CHECK(names(report.refused) == row.refused);
        CHECK(names(report.skipped) == row.skipped);
        CHECK(names(report.root_tasks) == row.root);
    }
}

TEST_CASE("install-plan 11 gates: messages name the flag, refusals name the layer") {
    const auto all = plans();
    const ov::GateReport report = ov::evaluate_gates(all, {});
    CHECK(report.skipped.at(0).message == "[skip] ServiceCustom scope=system requires --with-services");
    CHECK(report.skips(0, report.skipped.at(0).step));
    CHECK_FALSE(report.skips(0, 0));
    CHECK_THROWS_WITH_AS(report.require_none_refused(),
                         "the plan changes package repositories; allow it with --allow-repo-changes:\n  layer web: "
                         "SystemPackages rpm: 1 package source (prepare)",
                         ov::Error);
}
