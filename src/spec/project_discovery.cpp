// The part of the loader that finds layers and entities by looking into directories (`layer-format.md` 2.3).
#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "model/names.hpp"
#include "ov/error.hpp"
#include "spec/decode_layer.hpp"
#include "spec/discover.hpp"
#include "spec/project_loader.hpp"
#include "spec/yaml_document.hpp"

namespace ov::spec {

namespace {

namespace fs = std::filesystem;

/// Kinds that are found by directories; the others are accepted without effect.
constexpr std::array<std::string_view, 6> found_kinds{"layer", "image", "deploy", "builder", "distro", "init"};
constexpr std::array<std::string_view, 5> other_kinds{"pod", "vm", "k8s", "local", "android"};

}  // namespace

void ProjectLoader::read_discover(const Cursor& value, const std::string& file) {
    MapReader reader(value);
    for (const std::string_view kind : found_kinds) {
        const auto roots = reader.take(kind);
        if (!roots) continue;
        for (const Cursor& item : roots->items()) {
            DiscoverRoot root{std::string(kind), {}, true, item.where()};
            if (item.node().is_scalar()) {
                root.path = item.text();
            } else {
                MapReader entry(item);
                root.path = entry.text("path");
                root.recursive = entry.boolean("recursive", true);
                entry.finish();
            }
            if (root.path.empty()) {
                item.error("a discovery entry needs a path");
                continue;
            }
            root.path = resolve(item, root.path, file);
            if (!root.path.empty()) discover_.push_back(std::move(root));
        }
    }
    for (const std::string_view kind : other_kinds) reader.ignore(kind);
    reader.finish();
}

std::vector<std::string> ProjectLoader::directories_of(const DiscoverRoot& root) {
    try {
        return find_directories(root.path, root.kind + ".yml", root.recursive);
    } catch (const Error& e) {
        report(Severity::error, root.where, e.what());
        return {};
    }
}

void ProjectLoader::add_layer_directory(const std::string& directory, const std::string& name, const SourcePosition& where) {
    const std::string file = directory + "/layer.yml";
    try {
        Layer layer = decode_layer_file(read_text_file(file), file, name, directory, *findings_);
        layer.manifests = layer_manifests(directory);
        project_.layers.emplace(name, std::move(layer));
    } catch (const Error& e) {
        report(Severity::error, where, e.what());
    }
}

void ProjectLoader::discover_layers() {
    std::map<std::string, std::string> found_in;
    for (const DiscoverRoot& root : discover_) {
        if (root.kind != "layer") continue;
        for (const std::string& directory : directories_of(root)) {
            const std::string name = fs::path(directory).filename().string();
            const SourcePosition where{directory + "/layer.yml", 1, 1};
            if (!is_valid_layer_name(name)) {
                report(Severity::warning, where, fmt::format("ignored: \"{}\" is no layer name", name));
                continue;
            }
            const auto [first, is_new] = found_in.emplace(name, directory);
            if (!is_new && first->second != directory)
                report(Severity::warning, where, fmt::format("ignored: layer \"{}\" is already in {}", name, first->second));
            if (is_new && !project_.layers.contains(name)) add_layer_directory(directory, name, root.where);
        }
    }
}

void ProjectLoader::discover_entities() {
    for (const DiscoverRoot& root : discover_)
        if (root.kind != "layer")
            for (const std::string& directory : directories_of(root)) read_discovered_entity(root.kind, directory);
}

/// An entity document that may leave its name to its directory.
void ProjectLoader::read_discovered_entity(const std::string& kind, const std::string& directory) {
    const std::string file = directory + "/" + kind + ".yml";
    Report to{file, *findings_};
    std::vector<YamlPtr> documents;
    try {
        documents = parse_yaml(read_text_file(file), file, *findings_);
    } catch (const Error& e) {
        return report(Severity::error, {file, 0, 0}, e.what());
    }
    for (const YamlPtr& document : documents) {
        if (document->is_null()) continue;
        MapReader reader(Cursor(document, {}, to));
        const auto entity = reader.take(kind);
        if (!entity || !entity->node().is_map()) {
            to.add(Severity::error, document->line, document->column, {},
                   fmt::format("expected a mapping below the key {}", kind));
            continue;
        }
        auto body = std::make_shared<YamlNode>(entity->node());
        const YamlNode* authored = body->find("name");
        const std::string name =
            authored != nullptr && authored->is_scalar() ? authored->text : fs::path(directory).filename().string();
        std::erase_if(body->entries, [](const YamlEntry& entry) { return entry.key == "name"; });
        add_named(kind, name, Cursor(std::move(body), kind + "." + name, to), file);
        reader.finish();
    }
}

/// Files that only this project's builders look for. A layer written in a project file has no directory of its own.
void ProjectLoader::find_custom_manifests() {
    std::set<std::string> names;
    for (const auto& [builder, body] : project_.builders) {
        const YamlNode* files = body && body->is_map() ? body->find("detect_file") : nullptr;
        if (files == nullptr) continue;
        if (files->is_scalar()) names.insert(files->text);
        for (const YamlPtr& item : files->items) names.insert(item->text);
    }
    for (auto& [key, layer] : project_.layers) {
        if (layer.dir == directory_) continue;
        for (const std::string& name : names) {
            const bool known = std::find(layer.manifests.begin(), layer.manifests.end(), name) != layer.manifests.end();
            if (!known && !name.empty() && fs::is_regular_file(fs::path(layer.dir) / name)) layer.manifests.push_back(name);
        }
    }
}

/// Files of the old deployment schema beside the project file, which nothing imports any more.
void ProjectLoader::scan_for_retired_files() {
    std::error_code failure;
    std::vector<std::string> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_, failure))
        if (entry.path().extension() == ".yml" && entry.is_regular_file(failure) && !visited_.contains(entry.path().string()))
            files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
        const std::string text = read_text_file(file);
        int line = 1;
        for (std::size_t begin = 0; begin < text.size(); ++line) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            const std::string_view row(text.data() + begin, end - begin);
            if (row.starts_with("deployment:") || row.starts_with("deployments:") || row == "kind: deployment")
                report(Severity::error, {file, line, 1},
                       fmt::format("\"{}\" is a key of an older schema; use deploy", row.substr(0, row.find(':'))));
            begin = end + 1;
        }
    }
}

}  // namespace ov::spec
