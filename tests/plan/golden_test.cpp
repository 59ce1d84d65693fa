// Whole plans as JSON, one golden file a layer and distribution: every step kind and every builder is in one of them.
// OV_UPDATE_GOLDEN=1 rewrites the files.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "ov/load.hpp"
#include "ov/plan_output.hpp"
#include "plan/step_script.hpp"
#include "support/compile_on.hpp"

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Scripts as the machine gets them, secrets redacted.
std::vector<ov::PrintedScript> scripts_of(const ov::Layer& layer, const ov::Step& step) {
    ov::StepContext context;
    for (const auto* list : {&layer.secret_require, &layer.secret_accept})
        for (const ov::Dependency& secret : *list) context.secrets[layer.name][secret.name] = "<redacted>";
    const ov::GuestStep rendered = ov::render_step(step, context);
    if (rendered.text.empty()) return {};
    return {{rendered.as == ov::RunAs::root ? "root" : "user", rendered.text}};
}

}  // namespace

TEST_CASE("written layers compile to the plans in the golden files") {
    const char* data = std::getenv("OV_TEST_DATA");
    const fs::path root = fs::path(data != nullptr ? data : "tests") / "golden" / "plan";
    const bool update = std::getenv("OV_UPDATE_GOLDEN") != nullptr;
    std::size_t compared = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(root / "layers")) {
        std::vector<ov::Diagnostic> warnings;
        ov::Layer layer = ov::load_layer(entry.path().string(), warnings);
        layer.dir = "/layers/" + layer.name;
        for (const char* tag : {"arch", "debian:13", "fedora:43", "ubuntu:24.04"}) {
            ov::CompileContext context = ov::test::target(tag);
            context.home = "/home/cloud";
            context.architecture = "x86_64";
            context.builder_images = {{"aur", "localhost/arch-builder:1"},
                                      {"npm", "localhost/builder:1"},
                                      {"cargo", "localhost/builder:1"},
                                      {"pixi", "localhost/builder:1"}};
            const std::string add[] = {layer.name};
            context.deploy_id = ov::deploy_id("golden", {}, add);
            const ov::InstallPlan plan = ov::compile(layer, context);
            const ov::ScriptSource scripts = [&](const ov::InstallPlan&, const ov::Step& step) {
                return scripts_of(layer, step);
            };
            const std::string got = ov::to_json(plan, scripts).dump(2) + "\n";
            std::string name = layer.name + "." + tag + ".json";
            std::replace(name.begin(), name.end(), ':', '-');
            CAPTURE(name);
            if (update) std::ofstream(root / name, std::ios::binary) << got;
            CHECK(got == text_of(root / name));
            ++compared;
        }
    }
    CHECK(compared >= 28);
}
