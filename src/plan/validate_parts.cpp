// Rules of services, snippets, packages, dependencies and apk entries.
#include <algorithm>
#include <map>
#include <set>

#include "plan/validation_parts.hpp"

namespace ov::plan {

namespace {

bool is_trimmed_empty(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool is_home_or_absolute(std::string_view path) {
    return path.starts_with('/') || path.starts_with("~/") || path.starts_with("${HOME}") || path.starts_with("$HOME");
}

bool has_parent_step(std::string_view path) {
    return path == ".." || path.starts_with("../") || path.ends_with("/..") || path.find("/../") != std::string_view::npos;
}

bool is_slug(std::string_view text, bool underscore) {
    if (text.empty() || text.front() == '-' || text.front() == '_') return false;
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (underscore && c == '_');
    });
}

/// `ov/<service>/<name>`.
bool is_secret_key(std::string_view key) {
    if (!key.starts_with("ov/")) return false;
    key.remove_prefix(3);
    const std::size_t slash = key.find('/');
    return slash != std::string_view::npos && is_slug(key.substr(0, slash), false) && is_slug(key.substr(slash + 1), true);
}

}  // namespace

void validate_services(const Layer& layer, Findings& findings) {
    const bool has_packages =
        !layer.packages.empty() || !layer.distros.empty() || !layer.require.empty() || !layer.layers.empty();
    for (std::size_t i = 0; i < layer.services.size(); ++i) {
        const Service& service = layer.services[i];
        const std::string path = fmt::format("layer.service[{}]", i);
        if (service.packaged() && service.use_packaged.find_first_of("/ ") != std::string::npos)
            findings.error(service.where, path + ".use_packaged",
                           fmt::format("unit \"{}\" must not contain / or blanks", service.use_packaged));
        if (service.packaged() && !has_packages)
            findings.warning(service.where, path + ".use_packaged",
                             fmt::format("use_packaged \"{}\" in a layer that installs no package", service.use_packaged));
        static constexpr std::string_view words[] = {"no", "on-failure", "always", "unless-stopped"};
        if (!service.restart.empty() && std::find(std::begin(words), std::end(words), service.restart) == std::end(words))
            findings.warning(
                service.where, path + ".restart",
                fmt::format("restart '{}' has no effect: expected no, on-failure, always or unless-stopped", service.restart));
        if (!service.stdout_target.empty() && !service.stdout_target.starts_with("file:"))
            findings.warning(service.where, path + ".stdout",
                             fmt::format("stdout '{}' has no effect: expected file:PATH", service.stdout_target));
    }
}

void validate_shell(const Layer& layer, Findings& findings) {
    if (!layer.shell) return;
    const auto check = [&](const ShellPart& part, const std::string& path) {
        const SourcePosition& where = layer.shell->where;
        if (!part.path.empty() && (has_parent_step(part.path) || !is_home_or_absolute(part.path)))
            findings.error(where, path + ".path", fmt::format("'{}': expected an absolute path or ~/..., without ..", part.path));
        for (const std::string& entry : part.path_append)
            if (has_parent_step(entry) || !is_home_or_absolute(entry))
                findings.error(where, path + ".path_append",
                               fmt::format("'{}': expected an absolute path or ~/..., without ..", entry));
        if (!part.init.empty() && is_trimmed_empty(part.init)) findings.error(where, path + ".init", "init is blank");
    };
    check(layer.shell->generic, "layer.shell");
    for (const auto& [shell, part] : layer.shell->overrides) check(part, "layer.shell." + shell);
}

void validate_packages(const Layer& layer, Findings& findings) {
    for (const DistroBlock& block : layer.distros) {
        const std::string path = block.stray ? "layer." + block.key : "layer.distro." + block.key;
        const bool packages = !layer.packages.empty() || (block.packages && !block.packages->empty());
        if (!packages && block.copr && !block.copr->empty()) findings.error(block.where, path + ".copr", "copr without packages");
        if (!packages && block.modules && !block.modules->empty())
            findings.error(block.where, path + ".module", "module without packages");
        if (!block.repos) continue;
        for (const RepoEntry& repo : *block.repos) {
            const auto has = [&](const char* key) { return repo.fields.contains(key) && !repo.fields.at(key).empty(); };
            if (!has("name") && !has("rpm") && !has("ppa"))
                findings.error(repo.where, path + ".repo", "a repo entry needs a name");
        }
    }
}

void validate_dependencies(const Layer& layer, Findings& findings) {
    const std::pair<const char*, const std::vector<Dependency>*> lists[] = {{"env_require", &layer.env_require},
                                                                            {"env_accept", &layer.env_accept},
                                                                            {"secret_require", &layer.secret_require},
                                                                            {"secret_accept", &layer.secret_accept}};
    const YamlNode* provided = layer.body ? layer.body->find("env_provide") : nullptr;
    std::map<std::string, std::string> first_list;
    for (const auto& [list, entries] : lists) {
        const bool secret = std::string_view(list).starts_with("secret");
        for (const Dependency& entry : *entries) {
            const std::string path = std::string("layer.") + list;
            if (!is_environment_name(entry.name))
                findings.error(entry.where, path, fmt::format("name \"{}\" is no name of a variable", entry.name));
            if (entry.description.empty())
                findings.error(entry.where, path, fmt::format("\"{}\" needs a description", entry.name));
            const auto [first, is_new] = first_list.emplace(entry.name, list);
            if (!is_new)
                findings.error(entry.where, path, fmt::format("\"{}\" stands in {} and in {}", entry.name, first->second, list));
            if (secret && provided != nullptr && provided->find(entry.name) != nullptr)
                findings.error(entry.where, path, fmt::format("\"{}\" is a secret and stands in env_provide", entry.name));
            if (secret && !entry.key.empty() && !is_secret_key(entry.key))
                findings.error(entry.where, path, fmt::format("key '{}': expected ov/SERVICE/NAME in lower case", entry.key));
        }
    }
}

void validate_apk(const Layer& layer, Findings& findings) {
    static constexpr std::string_view sources[] = {"apk-pure", "google-play", "f-droid", "huawei-app-gallery"};
    for (std::size_t i = 0; i < layer.apk.size(); ++i) {
        const ApkPackage& apk = layer.apk[i];
        const std::string path = fmt::format("layer.apk[{}]", i);
        const SourcePosition where = layer.place_of("apk");
        if (apk.package.empty() == apk.apk.empty()) findings.error(where, path, "exactly one of package and apk is needed");
        if (!apk.source.empty() && std::find(std::begin(sources), std::end(sources), apk.source) == std::end(sources))
            findings.error(where, path + ".source",
                           fmt::format("'{}': expected apk-pure, google-play, f-droid or huawei-app-gallery", apk.source));
        if (!apk.source.empty() && apk.package.empty()) findings.error(where, path + ".source", "source goes with package only");
    }
}

}  // namespace ov::plan
