#include "ov/compile.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.hpp"
#include "plan/compile_parts.hpp"
#include "plan/home_token.hpp"

namespace ov {

namespace {

using plan::Compilation;

void compile_hook(const Compilation& c, std::vector<Step>& steps) {
    const Layer& layer = c.layer;
    if (layer.env.empty() && layer.path_append.empty()) return;
    ShellHookStep hook;
    hook.layer = layer.name;
    hook.env_file = fmt::format("{}/.config/overthink/env.d/{}.env", home_token, layer.name);
    for (const auto& [key, value] : layer.env) hook.env_vars.emplace(key, plan::tokenise_home(value));
    for (const std::string& entry : layer.path_append) hook.path_add.push_back(plan::tokenise_home(entry));
    steps.push_back({std::move(hook)});
}

void compile_apk(const Compilation& c, std::vector<Step>& steps) {
    if (!c.layer.apk.empty()) steps.push_back({ApkInstallStep{c.layer.apk, c.layer.name, c.layer.dir}});
}

}  // namespace

InstallPlan compile(const Layer& layer, const CompileContext& context) {
    InstallPlan result;
    result.deploy_id = context.deploy_id;
    result.image = context.image;
    result.version = layer.version;
    result.distro = context.distro.tags.empty() ? std::string() : context.distro.tags.front();
    result.layer = layer.name;
    result.layers_included = {layer.name};
    result.add_layers = context.add_layers;

    Compilation c{layer, context, {}};
    compile_hook(c, result.steps);
    plan::compile_packages(c, result.steps);
    plan::compile_builders(c, result.steps);
    plan::compile_tasks(c, result.steps);
    plan::compile_services(c, result.steps);
    plan::compile_shell(c, result.steps);
    compile_apk(c, result.steps);
    if (layer.reboot) result.steps.push_back({RebootStep{layer.name}});
    if (!c.findings.empty()) {
        sort_by_position(c.findings);
        throw SpecError(std::move(c.findings));
    }
    resolve_home(result, context.home);
    return result;
}

bool lacks_packages_for(const Layer& layer, const Distro& distro) {
    const bool names_any =
        !layer.packages.empty() || std::any_of(layer.distros.begin(), layer.distros.end(),
                                               [](const DistroBlock& b) { return b.packages && !b.packages->empty(); });
    return names_any && (distro.format.empty() || plan::select_packages(layer, distro).empty());
}

std::string deploy_id(std::string_view base, std::span<const std::string> layers, std::span<const std::string> add_layers) {
    std::string text(base);
    text += '\0';
    for (const std::string& layer : layers) (text += layer) += '\0';
    text += '\1';
    for (const std::string& layer : add_layers) (text += layer) += '\0';
    return sha256_hex(text).substr(0, 16);
}

}  // namespace ov
