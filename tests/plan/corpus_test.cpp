// The whole corpus through loader, validator and compiler, and its totals against a count made without any of them.
#include "support/corpus.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "ov/compile.hpp"
#include "ov/load.hpp"
#include "ov/plan_output.hpp"
#include "ov/validate_layer.hpp"
#include "plan/step_script.hpp"

namespace {

ov::CompileContext on(std::string_view tag) {
    ov::CompileContext context;
    context.distro = ov::distro_from_tag(tag);
    context.user = "cloud";
    context.home = "/home/cloud";
    context.architecture = "x86_64";
    return context;
}

/// Output of the counting script, or null when this machine cannot run it.
nlohmann::json independent_count(const std::string& corpus) {
    const char* data = std::getenv("OV_TEST_DATA");
    const std::string script = (data != nullptr ? std::string(data) : std::string("tests")) + "/plan/count_corpus";
    const std::string command = "python3 '" + script + "' '" + corpus + "/layers' 2>/dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    std::string text;
    char chunk[4096];
    while (pipe != nullptr && fgets(chunk, sizeof chunk, pipe) != nullptr) text += chunk;
    if (pipe == nullptr || pclose(pipe) != 0) {
        MESSAGE("skipped: python3 with PyYAML is needed to count the corpus independently");
        return nullptr;
    }
    return nlohmann::json::parse(text);
}

nlohmann::json empty_totals() {
    nlohmann::json totals = {{"layers", 0},  {"env_layers", 0},      {"env_names", 0},        {"snippet_layers", 0},
                             {"reboots", 0}, {"services_custom", 0}, {"services_packaged", 0}};
    for (const char* verb : {"cmd", "mkdir", "copy", "write", "link", "download", "setcap", "build"}) totals["tasks"][verb] = 0;
    return totals;
}

void count_step(nlohmann::json& totals, const ov::Step& step) {
    const auto bump = [&](const char* key) { totals[key] = totals[key].get<int>() + 1; };
    if (const auto* task = std::get_if<ov::TaskStep>(&step.body)) {
        const std::string verb(ov::to_string(task->verb));
        totals["tasks"][verb] = totals["tasks"][verb].get<int>() + 1;
    }
    if (const auto* hook = std::get_if<ov::ShellHookStep>(&step.body)) {
        bump("env_layers");
        totals["env_names"] = totals["env_names"].get<int>() + static_cast<int>(hook->env_vars.size());
    }
    if (std::holds_alternative<ov::ServiceCustomStep>(step.body)) bump("services_custom");
    if (std::holds_alternative<ov::ServicePackagedStep>(step.body)) bump("services_packaged");
    if (std::holds_alternative<ov::RebootStep>(step.body)) bump("reboots");
    const auto* snippet = std::get_if<ov::ShellSnippetStep>(&step.body);
    if (snippet != nullptr && snippet->shell == "bash") bump("snippet_layers");
}

}  // namespace

TEST_CASE("the corpus validates without an error, its warnings are of known kinds") {
    const auto root = ov::test::corpus();
    if (!root) return;
    const auto tree = ov::test::corpus_project(*root);
    const ov::Project project = ov::load_project({tree.path(), std::nullopt});
    CHECK(project.layers.size() == 153);
    std::map<std::string, int> kinds;
    for (const ov::Diagnostic& finding : project.warnings) ++kinds[finding.message.substr(0, finding.message.find(';'))];
    for (const ov::Diagnostic& finding : ov::validate_layers(project.layers)) {
        CAPTURE(finding.str());
        CHECK(finding.severity != ov::Severity::error);
        ++kinds[finding.message.substr(finding.message.find(": ") + 2)];
    }
    for (const auto& [kind, count] : kinds) MESSAGE(count << " x " << kind);
    CHECK(kinds.at("unknown key, ignored") == 3);
}

TEST_CASE("the totals of all plans equal the independent count") {
    const auto root = ov::test::corpus();
    if (!root) return;
    const nlohmann::json expected = independent_count(*root);
    const auto tree = ov::test::corpus_project(*root);
    const ov::Project project = ov::load_project({tree.path(), std::nullopt});
    for (const char* target : {"arch", "debian:13", "fedora:43"}) {
        CAPTURE(target);
        nlohmann::json totals = empty_totals();
        int steps = 0, packages = 0, scripts = 0;
        for (const auto& [key, layer] : project.layers) {
            CAPTURE(key);
            ov::InstallPlan plan = ov::compile(layer, on(target));
            totals["layers"] = totals["layers"].get<int>() + 1;
            for (const ov::Step& step : plan.steps) {
                count_step(totals, step);
                scripts += ov::render_step(step, {}).text.empty() ? 0 : 1;
                const auto* install = std::get_if<ov::SystemPackagesStep>(&step.body);
                if (install == nullptr || install->phase != ov::Phase::install) continue;
                ++steps;
                packages += static_cast<int>(install->packages.size());
            }
        }
        CHECK(scripts > 300);
        if (expected.is_null()) continue;
        for (const char* field : {"layers", "env_layers", "env_names", "snippet_layers", "reboots", "tasks", "services_custom",
                                  "services_packaged"}) {
            CAPTURE(field);
            CHECK(totals[field] == expected[field]);
        }
        CHECK(steps == expected["package_steps"][target]);
        CHECK(packages == expected["packages"][target]);
    }
}

TEST_CASE("every layer of the corpus has its requirements, and fails naming one that is taken away") {
    const auto root = ov::test::corpus();
    if (!root) return;
    const auto tree = ov::test::corpus_project(*root);
    ov::LayerMap layers = ov::load_project({tree.path(), std::nullopt}).layers;
    std::vector<std::string> all;
    for (const auto& [key, layer] : layers) all.push_back(key);
    CHECK(ov::order_layers(all, layers, {true, false, {}}).size() > 140);  // pure composites stand for their members only
    const std::string request[] = {"hermes"};
    REQUIRE(layers.contains("hermes"));
    REQUIRE_FALSE(layers.at("hermes").require.empty());
    const std::string gone = layers.at("hermes").require.front().key;
    layers.erase(gone);
    try {
        ov::order_layers(request, layers);
        FAIL("a missing requirement was not noticed");
    } catch (const ov::LayerNotFound& e) {
        CHECK(e.ref() == gone);
    }
    CHECK(ov::order_layers(request, layers, {false, true, {}}).size() == 1);
    CHECK_NOTHROW(ov::compile(layers.at("hermes"), on("fedora:43")));
}
