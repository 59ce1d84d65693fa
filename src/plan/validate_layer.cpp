#include "ov/validate_layer.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/near_name.hpp"
#include "ov/compile.hpp"
#include "plan/validation_parts.hpp"

namespace ov {

namespace {

using plan::Findings;

/// Three dotted integers.
bool is_version(std::string_view text) noexcept {
    int parts = 1;
    bool digit = false;
    for (const char c : text) {
        if (c == '.') {
            if (!digit) return false;
            ++parts;
            digit = false;
        } else if (c >= '0' && c <= '9') {
            digit = true;
        } else {
            return false;
        }
    }
    return parts == 3 && digit;
}

bool has_key(const Layer& layer, std::string_view key) {
    const YamlNode* value = layer.body ? layer.body->find(key) : nullptr;
    return value != nullptr && (!value->items.empty() || !value->entries.empty());
}

void validate_whole(const Layer& layer, Findings& findings) {
    const bool installs = !layer.packages.empty() || !layer.distros.empty() || !layer.manifests.empty() || !layer.tasks.empty() ||
                          !layer.apk.empty() || !layer.layers.empty() || has_key(layer, "data");
    const bool configures =
        !layer.env.empty() || !layer.path_append.empty() || !layer.services.empty() || layer.shell || layer.reboot;
    if (!installs && !configures) {
        const std::string nothing = "there is nothing to install: no packages, tasks, manifest, apk, layer or data";
        // With requirements it may be a list of them, or its manifest was left behind.
        if (layer.require.empty())
            findings.error(layer.where, "layer", nothing);
        else
            findings.warning(layer.where, "layer", nothing);
    }
    if (layer.version.empty())
        findings.error(layer.where, "layer.version", "version is missing; expected three dotted numbers such as 2026.144.1443");
    else if (!is_version(layer.version))
        findings.error(layer.place_of("version"), "layer.version",
                       fmt::format("version '{}' is not three dotted numbers", layer.version));
    const bool cargo = std::find(layer.manifests.begin(), layer.manifests.end(), "Cargo.toml") != layer.manifests.end();
    if (cargo && !std::filesystem::is_directory(layer.dir + "/src"))
        findings.error(layer.where, "layer", "Cargo.toml without src/");
}

void validate_references(const Layer& layer, const LayerMap& layers, const std::vector<std::string>& names, Findings& findings) {
    const auto check = [&](const std::vector<LayerRef>& refs, const char* field) {
        for (const LayerRef& ref : refs) {
            const std::string path = std::string("layer.") + field;
            if (ref.key == layer.key) findings.error(ref.where, path, fmt::format("names itself in {}", field));
            const bool remote = ref.text != ref.key;
            if (!remote && !layers.contains(ref.key))
                findings.error(ref.where, path, fmt::format("layer \"{}\" not found{}", ref.text, did_you_mean(ref.key, names)));
        }
    };
    check(layer.require, "require");
    check(layer.layers, "layer");
    for (const LayerRef& ref : layer.require) {
        const auto same = [&](const LayerRef& other) { return other.key == ref.key; };
        if (std::any_of(layer.layers.begin(), layer.layers.end(), same))
            findings.error(ref.where, "layer.require", fmt::format("\"{}\" stands in layer and in require", ref.text));
    }
}

/// What the compiler refuses, on every family of systems; a problem that all of them have is told once.
void validate_compile(const Layer& layer, Findings& findings) {
    std::set<std::string> seen;
    for (const char* tag : {"fedora:43", "debian:13", "ubuntu:24.04", "arch"}) {
        CompileContext context;
        context.distro = distro_from_tag(tag);
        context.user = "user";
        try {
            compile(layer, context);
        } catch (const SpecError& e) {
            for (const Diagnostic& finding : e.findings())
                if (seen.insert(finding.str()).second) findings.error(finding.where, finding.path, finding.message);
        }
    }
}

/// The names on the cycle that an error message of `order_layers` describes: "circular dependency: A -> B -> A".
std::set<std::string> names_on_cycle(std::string_view message) {
    std::set<std::string> names;
    std::string_view rest = message.substr(std::min(message.find(": ") + 2, message.size()));
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(" -> "), rest.size());
        names.emplace(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 4, rest.size()));
    }
    return names;
}

/// One finding a cycle, however many layers lead into it.
void validate_cycles(const LayerMap& layers, const std::vector<const Layer*>& selected, std::vector<Diagnostic>& all) {
    std::vector<std::string> requests;
    for (const Layer* layer : selected) requests.push_back(layer->key);
    try {
        order_layers(requests, layers);
        return;
    } catch (const Error&) {
        // Something is wrong somewhere; ask layer by layer.
    }
    std::set<std::set<std::string>> told;
    for (const std::string& request : requests) {
        try {
            order_layers({&request, 1}, layers);
        } catch (const Error& e) {
            // A layer that is missing is told where it is named.
            if (e.code() != Errc::spec_invalid || !told.insert(names_on_cycle(e.what())).second) continue;
            const Layer& on_cycle = layers.at(*names_on_cycle(e.what()).begin());
            all.push_back(
                {on_cycle.where, "layer.require", fmt::format("layer {}: {}", on_cycle.key, e.what()), Severity::error});
        }
    }
}

}  // namespace

std::vector<Diagnostic> validate_layers(const LayerMap& layers, std::span<const std::string> keys) {
    std::vector<const Layer*> selected;
    std::vector<std::string> names;
    for (const auto& [key, layer] : layers) {
        names.push_back(key);
        if (keys.empty() || std::find(keys.begin(), keys.end(), key) != keys.end()) selected.push_back(&layer);
    }
    std::vector<Diagnostic> all;
    for (const std::string& key : keys)
        if (!layers.contains(key))
            all.push_back({{}, {}, fmt::format("layer \"{}\" not found{}", key, did_you_mean(key, names)), Severity::error});
    for (const Layer* layer : selected) {
        Findings findings(*layer, all);
        validate_whole(*layer, findings);
        validate_references(*layer, layers, names, findings);
        validate_compile(*layer, findings);
        plan::validate_tasks(*layer, findings);
        plan::validate_variables(*layer, findings);
        plan::validate_services(*layer, findings);
        plan::validate_shell(*layer, findings);
        plan::validate_packages(*layer, findings);
        plan::validate_dependencies(*layer, findings);
        plan::validate_apk(*layer, findings);
    }
    validate_cycles(layers, selected, all);
    sort_by_position(all);
    return all;
}

}  // namespace ov
