// What a project's own `distro:`, `builder:` and `init:` maps change about compiling (`layer-format.md` 8 and 9,
// `install-plan.md` 6). Everything that layers usually need is built in, so all three maps may be missing.
#include "plan/project_definitions.hpp"

#include <algorithm>

#include "ov/compile.hpp"
#include "ov/project.hpp"

namespace ov {

namespace {

constexpr int deepest_inheritance = 10;

std::string text_of(const YamlPtr& body, std::string_view key) {
    const YamlNode* value = body && body->is_map() ? body->find(key) : nullptr;
    return value != nullptr && value->is_scalar() ? value->text : std::string();
}

/// A system that is not built in takes tags and package format of the definition that its own inherits from.
void inherit(Distro& distro, const Entities& distros) {
    if (distro.tags.empty()) return;
    auto found = definition_of(distros, distro.tags.front());
    for (int level = 0; level < deepest_inheritance && found != distros.end() && distro.format.empty(); ++level) {
        const std::string parent = text_of(found->second, "inherits");
        if (parent.empty()) return;
        const Distro known = distro_from_tag(parent);
        for (const std::string& tag : known.tags)
            if (std::find(distro.tags.begin(), distro.tags.end(), tag) == distro.tags.end()) distro.tags.push_back(tag);
        distro.format = known.format;
        found = definition_of(distros, parent);
    }
}

}  // namespace

Entities::const_iterator definition_of(const Entities& distros, const std::string& tag) {
    const auto exact = distros.find(tag);
    return exact != distros.end() ? exact : distros.find(tag.substr(0, tag.find(':')));
}

YamlPtr inherited_part(const Entities& distros, const std::string& tag, std::string_view key) {
    auto found = definition_of(distros, tag);
    for (int level = 0; level < deepest_inheritance && found != distros.end(); ++level) {
        for (const YamlEntry& entry : found->second->entries)
            if (entry.key == key) return entry.value;
        found = definition_of(distros, text_of(found->second, "inherits"));
    }
    return nullptr;
}

BuilderTriggers default_builder_triggers() {
    return {{"cargo", {"Cargo.toml"}}, {"npm", {"package.json"}}, {"pixi", {"pixi.toml", "pyproject.toml", "environment.yml"}}};
}

BuilderTriggers builder_triggers(const Project& project) {
    BuilderTriggers triggers = default_builder_triggers();
    for (const auto& [name, body] : project.builders) {
        const YamlNode* files = body && body->is_map() ? body->find("detect_file") : nullptr;
        if (files == nullptr || text_of(body, "kind") == "bootstrap") continue;
        std::vector<std::string> names;
        if (files->is_scalar()) names.push_back(files->text);
        for (const YamlPtr& item : files->items) names.push_back(item->text);
        triggers.insert_or_assign(name, std::move(names));
    }
    return triggers;
}

void apply_definitions(CompileContext& context, const Project& project) {
    inherit(context.distro, project.distros);
    context.builders = builder_triggers(project);
}

}  // namespace ov
