// `package` and `distro` (`layer-format.md` 4).
#include <algorithm>
#include <set>

#include "spec/decode_layer.hpp"

namespace ov::spec {

namespace {

constexpr std::string_view known_distros[] = {"fedora",      "archlinux",   "arch",     "debian", "ubuntu", "alpine",
                                              "rocky",       "almalinux",   "opensuse", "suse",   "centos", "rhel",
                                              "oraclelinux", "amazonlinux", "gentoo",   "nixos"};
constexpr std::string_view bare_keys[] = {"fedora", "arch", "debian", "ubuntu"};

/// Items are texts or `{name, description}`; empty names are dropped.
std::vector<std::string> decode_items(const Cursor& list) {
    std::vector<std::string> names;
    for (const Cursor& item : list.items()) {
        std::string name;
        if (item.node().is_map()) {
            MapReader reader(item);
            name = reader.text("name");
            reader.text("description");
            reader.finish();
        } else if (item.node().is_sequence()) {
            item.expected("a package name or {name, description}");
        } else {
            name = item.text();
        }
        if (!name.empty()) names.push_back(std::move(name));
    }
    return names;
}

RepoEntry decode_repo(MapReader& item) {
    static constexpr std::string_view keys[] = {"rpm",        "name",      "url", "gpgkey", "gpgcheck", "key",        "suite",
                                                "components", "signed_by", "ppa", "server", "siglevel", "description"};
    RepoEntry repo{{}, item.cursor().where()};
    for (const std::string_view key : keys) {
        const auto value = item.take(key);
        if (!value) continue;
        if (key == "gpgcheck") {
            repo.fields.emplace(key, value->boolean().value_or(true) ? "true" : "false");
        } else if (key == "components" && value->node().is_sequence()) {
            std::string joined;
            for (const std::string& word : value->text_list()) joined += (joined.empty() ? "" : " ") + word;
            repo.fields.emplace(key, joined);
        } else {
            repo.fields.emplace(key, value->text());
        }
    }
    return repo;
}

AurBlock decode_aur(const Cursor& value) {
    AurBlock aur;
    MapReader reader(value);
    if (const auto list = reader.take("package")) aur.packages = decode_items(*list);
    aur.options = reader.text_list("option");
    aur.replaces = reader.text_list("replace");
    reader.finish();
    return aur;
}

DistroBlock decode_block(const Cursor& value, std::string key, std::string tag) {
    DistroBlock block;
    block.key = std::move(key);
    block.tag = std::move(tag);
    block.where = value.where();
    MapReader reader(value);
    if (const auto list = reader.take("package")) block.packages = decode_items(*list);
    const auto texts = [&](std::string_view name, std::optional<std::vector<std::string>>& into) {
        if (const auto list = reader.take(name)) into = list->text_list();
    };
    texts("option", block.options);
    texts("exclude", block.exclude);
    texts("copr", block.copr);
    texts("module", block.modules);
    if (const auto repos = reader.take("repo")) block.repos = decode_each<RepoEntry>(*repos, decode_repo);
    if (const auto aur = reader.take("aur")) {
        block.aur = decode_aur(*aur);
        if (block.key != "arch") aur->warning("ignored: aur is read below distro.arch only");
    }
    reader.finish();
    return block;
}

/// Tag of a distro key, or empty when the key names nothing.
std::string tag_of(std::string_view key) {
    if (std::find(std::begin(bare_keys), std::end(bare_keys), key) != std::end(bare_keys)) return std::string(key);
    const std::size_t hyphen = key.find('-');
    if (hyphen == std::string_view::npos || hyphen + 1 == key.size() || !is_known_distro(key.substr(0, hyphen))) return {};
    return std::string(key.substr(0, hyphen)) + ":" + std::string(key.substr(hyphen + 1));
}

}  // namespace

bool is_known_distro(std::string_view name) noexcept {
    return std::find(std::begin(known_distros), std::end(known_distros), name) != std::end(known_distros);
}

void decode_packages(MapReader& body, Layer& layer) {
    if (const auto list = body.take("package")) layer.packages = decode_items(*list);
    const auto distro = body.take("distro");
    if (!distro) return;
    for (const auto& [key, value] : distro->entries()) {
        layer.has_distro = true;
        std::string tag = tag_of(key);
        if (tag.empty()) {
            value.warning("ignored: expected fedora, arch, debian, ubuntu or NAME-VERSION of a known distribution");
            continue;
        }
        layer.distros.push_back(decode_block(value, key, std::move(tag)));
    }
}

bool decode_stray_section(const YamlEntry& entry, const Cursor& value, Layer& layer) {
    const YamlNode* packages = value.node().find("package");
    if (packages == nullptr || !packages->is_sequence() || packages->items.empty()) return false;
    value.report().add(Severity::warning, entry.line, entry.column, value.path(),
                       "taken as a package section for the distro tag of this name; distro: is the place for it");
    std::string_view rest = entry.key;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        std::string_view tag = rest.substr(0, end);
        while (tag.starts_with(' ')) tag.remove_prefix(1);
        while (tag.ends_with(' ')) tag.remove_suffix(1);
        if (!tag.empty()) {
            layer.distros.push_back(decode_block(value, std::string(tag), std::string(tag)));
            layer.distros.back().stray = true;
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return true;
}

}  // namespace ov::spec
