// What the fuzzers run, also run over their stored inputs by the unit tests.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "ov/compile.hpp"
#include "ov/load.hpp"
#include "ov/plan_output.hpp"
#include "ov/validate_layer.hpp"
#include "plan/step_script.hpp"
#include "spec/decode_layer.hpp"
#include "support/temp_tree.hpp"

namespace ov::fuzz {

inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// Compiles for every family of systems: equal plans each time, printable, with scripts for every step.
inline void compile_everywhere(const Layer& layer) {
    for (const char* tag : {"fedora:43", "debian:13", "arch"}) {
        CompileContext context;
        context.distro = distro_from_tag(tag);
        context.user = "cloud";
        context.home = "/home/cloud";
        context.architecture = "x86_64";
        try {
            const InstallPlan plan = compile(layer, context);
            require(plan_digest(plan, {}) == plan_digest(compile(layer, context), {}), "two compiles differ");
            const auto replace = nlohmann::json::error_handler_t::replace;
            require(!to_json(plan).dump(-1, ' ', false, replace).empty(), "a plan without JSON");
            for (const Step& step : plan.steps) {
                require(!step.summary().empty(), "a step without summary");
                try {
                    render_step(step, {});
                } catch (const Error&) {
                }
            }
        } catch (const SpecError&) {
        }
    }
}

/// Any bytes as a layer.yml: findings or a layer, never a crash.
inline void layer(std::string_view text) {
    std::vector<Diagnostic> findings;
    const Layer decoded = spec::decode_layer_file(text, "layer.yml", "web", "/layers/web", findings);
    for (const Diagnostic& finding : findings) require(!finding.message.empty(), "a finding without words");
    compile_everywhere(decoded);
    LayerMap layers;
    layers.emplace("web", decoded);
    validate_layers(layers);
}

/// Any bytes as project files, separated by 0x1e: overthink.yml, a.yml, layers/x/layer.yml, deploy.yml.
inline void project(std::string_view text) {
    static const test::TempTree tree;
    static const char* const names[] = {"overthink.yml", "a.yml", "layers/x/layer.yml", "deploy.yml"};
    for (const char* name : names) {
        const std::size_t end = std::min(text.find('\x1e'), text.size());
        tree.write(name, std::string(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    try {
        const Project loaded = load_project({tree.path(), tree.path("deploy.yml")});
        for (const auto& [key, found] : loaded.layers) {
            compile_everywhere(found);
            const std::string request[] = {key};
            try {
                order_layers(request, loaded.layers);
            } catch (const Error&) {
            }
        }
    } catch (const Error&) {
    }
}

}  // namespace ov::fuzz
