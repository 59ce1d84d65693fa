#include "spec/document_shape.hpp"

#include <algorithm>
#include <charconv>

#include "base/near_name.hpp"
#include "spec/retired_keys.hpp"

namespace ov::spec {

namespace {

constexpr std::string_view root_keys[] = {"version", "import", "discover", "defaults", "provides", "distro", "builder", "init",
                                          "layer",   "image",  "pod",      "vm",       "k8s",      "local",  "android", "deploy",
                                          "ai",      "recipe", "score",    "eval",     "group",    "target", "module"};
constexpr std::string_view kind_keys[] = {"layer", "image",   "deploy", "builder", "distro", "init",  "pod",    "vm",    "k8s",
                                          "local", "android", "ai",     "recipe",  "score",  "group", "target", "module"};

template <class Keys>
bool contains(const Keys& keys, std::string_view key) noexcept {
    return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
}

/// An entity names itself with a text; a collection may hold an entity called "name", which is a mapping.
bool names_itself(const YamlNode& value) {
    const YamlNode* name = value.find("name");
    return name != nullptr && (name->is_scalar() || name->is_null());
}

}  // namespace

bool is_root_key(std::string_view key) noexcept {
    return contains(root_keys, key);
}

DocumentShape recognise(const Cursor& document) {
    std::vector<std::string> roots, kinds, others;
    for (const YamlEntry& entry : document.node().entries) {
        const bool known = contains(root_keys, entry.key) || contains(kind_keys, entry.key);
        if (!known)
            others.push_back(entry.key);
        else if (contains(kind_keys, entry.key) && names_itself(*entry.value))
            kinds.push_back(entry.key);
        else
            roots.push_back(entry.key);
    }
    if (!kinds.empty() && (!roots.empty() || kinds.size() > 1)) {
        std::string names;
        for (const auto& list : {kinds, roots})
            for (const std::string& key : list) names += (names.empty() ? "" : ", ") + key;
        document.error(
            fmt::format("ambiguous document: it is an entity and a collection at once (keys {}); split it with ---", names));
        return {};
    }
    for (const YamlEntry& entry : document.node().entries) {
        if (!contains(others, entry.key)) continue;
        const auto retired = retired_project_key(entry.key);
        document.report().add(
            retired ? Severity::error : Severity::warning, entry.line, entry.column, entry.key,
            retired.value_or("unknown key, ignored" + did_you_mean(entry.key, std::span<const std::string_view>(root_keys))));
    }
    if (roots.empty() && kinds.empty()) {
        std::string names;
        for (const std::string& key : others) names += (names.empty() ? "" : ", ") + key;
        document.error(names.empty() ? "an empty mapping is no project document" : "no key of a project file here: " + names);
        return {};
    }
    return kinds.empty() ? DocumentShape{Shape::collection, {}} : DocumentShape{Shape::entity, kinds.front()};
}

long long schema_number(std::string_view version) noexcept {
    long long parts[3] = {};
    const char* at = version.data();
    const char* const end = at + version.size();
    for (int i = 0; i < 3; ++i) {
        const auto [next, failure] = std::from_chars(at, end, parts[i]);
        if (failure != std::errc() || parts[i] < 0 || (i < 2 ? next == end || *next != '.' : next != end)) return 0;
        at = next + 1;
    }
    if (parts[0] < 1970 || parts[0] > 99999 || parts[1] < 1 || parts[1] > 366 || parts[2] > 2359) return 0;
    return (parts[0] * 1000 + parts[1]) * 10000 + parts[2];
}

}  // namespace ov::spec
