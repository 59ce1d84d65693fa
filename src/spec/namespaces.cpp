// Entities of projects that are mounted under an alias (`layer-format.md` 2.2). Such a project is read when one of its
// images is asked for; its layers get keys of their own, since the importing project does not see them.
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "base/near_name.hpp"
#include "model/layer_ref.hpp"
#include "ov/load.hpp"
#include "spec/project_loader.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

/// Project file behind a namespace; empty, and `lacking` filled, when its repository is not there yet.
std::string project_file(const Namespace& mounted, const Checkouts& checkouts, std::vector<RepositoryAt>& lacking) {
    fs::path path = mounted.target;
    if (is_remote_ref(mounted.target)) {
        const RemoteRef remote = parse_remote_ref(mounted.target);
        const RepositoryAt wanted{remote.repository, remote.version};
        const auto checkout = checkouts.find(wanted);
        if (checkout == checkouts.end()) {
            lacking.push_back(wanted);
            return {};
        }
        path = fs::path(checkout->second.directory) / remote.path;
    }
    if (fs::is_directory(path)) path /= "overthink.yml";
    return path.lexically_normal().string();
}

class Mount {
public:
    Mount(Project& into, const Project& from, std::string alias) : into_(into), from_(from), alias_(std::move(alias)) {}

    std::string key(const std::string& name) const { return alias_ + "." + name; }

    /// The layer and all it needs, under keys with the alias in front. Remote references mean the same everywhere.
    void bring(const std::string& name) {
        if (!seen_.insert(name).second) return;
        const auto found = from_.layers.find(name);
        if (found == from_.layers.end()) return;  // told, with who wants it, when the layers are put in order
        Layer layer = found->second;
        layer.key = key(name);
        for (auto* refs : {&layer.require, &layer.layers})
            for (LayerRef& ref : *refs)
                if (!is_remote_ref(ref.text)) {
                    bring(ref.text);
                    ref.text = ref.key = key(ref.text);
                }
        const std::string dir = layer.dir;
        const auto [known, is_new] = into_.layers.try_emplace(layer.key, std::move(layer));
        if (!is_new && known->second.dir != dir)
            throw Error(Errc::spec_invalid, fmt::format("layer \"{}\" is in {} and in {}", known->first, known->second.dir, dir));
    }

private:
    Project& into_;
    const Project& from_;
    std::string alias_;
    std::set<std::string> seen_;
};

/// The image with its layers and its base named as the importing project names them.
YamlPtr renamed(const YamlNode& image, const Project& from, Mount& mount) {
    auto body = std::make_shared<YamlNode>(image);
    for (YamlEntry& entry : body->entries) {
        auto value = std::make_shared<YamlNode>(*entry.value);
        if (entry.key == "base" && from.images.contains(value->text)) value->text = mount.key(value->text);
        if (entry.key == "layer")
            for (YamlPtr& item : value->items) {
                if (is_remote_ref(item->text)) continue;
                mount.bring(item->text);
                auto name = std::make_shared<YamlNode>(*item);
                name->text = mount.key(item->text);
                item = std::move(name);
            }
        entry.value = std::move(value);
    }
    return body;
}

}  // namespace

std::vector<RepositoryAt> resolve_image(Project& project, const std::string& name, const Checkouts& checkouts) {
    const std::size_t dot = name.find('.');
    const auto mounted = project.namespaces.find(name.substr(0, dot));
    if (project.images.contains(name) || dot == std::string::npos || mounted == project.namespaces.end()) return {};

    std::vector<RepositoryAt> lacking;
    const std::string file = project_file(mounted->second, checkouts, lacking);
    if (file.empty()) return lacking;
    auto& read = project.mounted[file];
    if (!read) {
        if (!fs::exists(file)) throw Error(Errc::not_found, fmt::format("namespace {}: {} is missing", mounted->first, file));
        Project loaded = spec::load_project_file(file, {{}, std::nullopt, &checkouts});
        if (!loaded.lacking.empty()) return loaded.lacking;
        project.warnings.insert(project.warnings.end(), loaded.warnings.begin(), loaded.warnings.end());
        read = std::make_shared<const Project>(std::move(loaded));
    }
    const Project& from = *read;

    const std::string own_name = name.substr(dot + 1);
    const auto image = from.images.find(own_name);
    if (image == from.images.end() || !image->second) {
        std::vector<std::string> names;
        for (const auto& [known, body] : from.images) names.push_back(known);
        throw Error(Errc::not_found, fmt::format("no image \"{}\" in the project mounted as {} ({}){}", own_name, mounted->first,
                                                 file, did_you_mean(own_name, names)));
    }
    Mount mount(project, from, mounted->first);
    project.images.emplace(name, renamed(*image->second, from, mount));
    return {};
}

}  // namespace ov
