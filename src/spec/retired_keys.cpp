#include "spec/retired_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "spec/decode_layer.hpp"

namespace ov::spec {

namespace {

using Renamed = std::pair<std::string_view, std::string_view>;

constexpr std::array<Renamed, 7> body_keys{{
    {"depends", "require"},
    {"rpm", "distro: {fedora: {package: [...]}}"},
    {"deb", "distro: {debian: {package: [...]}}"},
    {"pac", "distro: {arch: {package: [...]}}"},
    {"aur", "distro: {arch: {aur: {package: [...]}}}"},
    {"directory", "the layer's own directory"},
    {"info", "description"},
}};

/// Plurals whose singular is not the word without its "s".
constexpr std::array<Renamed, 10> irregular{{
    {"aliases", "alias"},
    {"includes", "import"},
    {"imports", "import"},
    {"deployments", "deploy"},
    {"deploys", "deploy"},
    {"repos", "repo"},
    {"replaces", "replace"},
    {"requires", "require"},
    {"exit_codes", "exit_code"},
    {"vars", "var"},
}};

constexpr std::string_view plurals[] = {
    "layers",         "ports",           "volumes",      "secrets",       "builds",
    "tasks",          "artifacts",       "packages",     "sidecars",      "images",
    "distros",        "builders",        "inits",        "clusters",      "targets",
    "modules",        "env_requires",    "env_accepts",  "env_provides",  "secret_requires",
    "secret_accepts", "mcp_provides",    "mcp_requires", "mcp_accepts",   "requires_capabilities",
    "add_layers",     "system_services", "cap_adds",     "with_services", "events",
    "replicas",       "ssh_args",        "mounts",       "snapshots",     "subgroups",
    "phases",         "steps",           "metrics",      "notes",         "examples",
    "recipes",        "scenarios",       "versions",     "formats",       "start_retries",
    "start_secs",     "wait_seconds",    "oci_labels",   "extra_repos",   "platforms",
    "instances",      "options",         "opts",         "headers",       "args",
    "workarounds",    "services",        "envs",         "checks",        "evals"};

}  // namespace

std::optional<std::string> retired_body_key(std::string_view key) {
    for (const auto& [old, now] : body_keys)
        if (key == old) return fmt::format("\"{}\" is a key of an older schema; use {}", old, now);

    std::size_t begin = 0;
    bool all_distros = !key.empty();
    while (all_distros && begin <= key.size()) {
        const std::size_t end = std::min(key.find(',', begin), key.size());
        std::string_view part = key.substr(begin, end - begin);
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        all_distros = is_known_distro(part.substr(0, part.find(':')));
        begin = end + 1;
    }
    if (all_distros) return fmt::format("\"{}\" is a distribution; its packages stand below distro:", key);
    return std::nullopt;
}

std::optional<std::string> root_key_message(std::string_view key) {
    for (const auto& [old, now] : irregular)
        if (key == old) return fmt::format("\"{}\" is a key of an older schema; use {}", old, now);
    if (std::find(std::begin(plurals), std::end(plurals), key) == std::end(plurals)) return std::nullopt;
    std::string_view now = key;
    if (now.ends_with("ies") && now != "series")
        return fmt::format("\"{}\" is a key of an older schema; use {}y", key, now.substr(0, now.size() - 3));
    now.remove_suffix(1);
    return fmt::format("\"{}\" is a key of an older schema; use {}", key, now);
}

std::optional<std::string> retired_project_key(std::string_view key) {
    constexpr std::array<Renamed, 4> project_keys{
        {{"include", "import"}, {"benchmark", "eval"}, {"deployment", "deploy"}, {"deployments", "deploy"}}};
    for (const auto& [old, now] : project_keys)
        if (key == old) return fmt::format("\"{}\" is a key of an older schema; use {}", old, now);
    return root_key_message(key);
}

}  // namespace ov::spec
