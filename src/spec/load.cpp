#include "ov/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/near_name.hpp"
#include "model/layer_ref.hpp"
#include "spec/decode_deploy.hpp"
#include "spec/decode_layer.hpp"
#include "spec/discover.hpp"
#include "spec/project_loader.hpp"
#include "spec/yaml_document.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

/// Throws when there is an error among the findings; else moves the rest to `warnings`.
void settle(std::vector<Diagnostic>& findings, std::vector<Diagnostic>& warnings) {
    sort_by_position(findings);
    const bool failed =
        std::any_of(findings.begin(), findings.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
    if (failed) {
        std::erase_if(findings, [](const Diagnostic& d) { return d.severity != Severity::error; });
        throw SpecError(std::move(findings));
    }
    std::move(findings.begin(), findings.end(), std::back_inserter(warnings));
}

DeployMap read_deploy_file(const std::string& path, std::vector<Diagnostic>& findings) {
    std::string text;
    try {
        text = spec::read_text_file(path);
    } catch (const Error& e) {
        if (e.code() == Errc::not_found) return {};
        throw;
    }
    spec::Report report{path, findings};
    auto documents = spec::parse_yaml(text, path, findings);
    std::erase_if(documents, [](const YamlPtr& document) { return document->is_null(); });
    if (documents.empty()) return {};
    if (documents.size() > 1)
        report.add(Severity::error, documents[1]->line, documents[1]->column, {}, "expected one document, this is the second");
    const spec::Cursor root(documents.front(), {}, report);
    spec::MapReader reader(root);
    for (const std::string_view key : {"version", "provides"}) reader.ignore(key);
    const auto deploy = reader.take("deploy");
    if (!deploy && reader.has("images"))
        root.error("images: is a key of an older schema; this program reads deploy:");
    else
        reader.finish();
    return deploy ? spec::decode_deploy_map(*deploy) : DeployMap();
}

/// Absolute path of the directory's project file. Throws Error{not_found} naming the directory.
std::string project_file_in(const std::string& directory) {
    const fs::path path = fs::absolute(directory).lexically_normal();
    const fs::path trimmed = path.has_filename() ? path : path.parent_path();
    if (!fs::exists(trimmed / "overthink.yml"))
        throw Error(Errc::not_found,
                    fmt::format("no project in {}: overthink.yml is missing; -C names another directory", trimmed.string()));
    return (trimmed / "overthink.yml").string();
}

Project inspect_file(const std::string& file, const LoadOptions& options, std::vector<Diagnostic>& findings) {
    Project project = spec::ProjectLoader(file, options.checkouts).load(findings);
    if (!project.lacking.empty()) return project;
    if (options.deploy_file)
        project.deploys = spec::merge_deploys(project.deploys, read_deploy_file(*options.deploy_file, findings));
    spec::check_deploys(project, findings);
    sort_by_position(findings);
    return project;
}

}  // namespace

Project inspect_project(const LoadOptions& options, std::vector<Diagnostic>& findings) {
    return inspect_file(project_file_in(options.directory), options, findings);
}

Project load_project(const LoadOptions& options) {
    return spec::load_project_file(project_file_in(options.directory), options);
}

Project spec::load_project_file(const std::string& file, const LoadOptions& options) {
    std::vector<Diagnostic> findings;
    Project project = inspect_file(file, options, findings);
    if (!project.lacking.empty()) return project;
    settle(findings, project.warnings);
    return project;
}

DeployMap load_deploy_file(const std::string& path, std::vector<Diagnostic>& warnings) {
    std::vector<Diagnostic> findings;
    DeployMap deploys = read_deploy_file(path, findings);
    settle(findings, warnings);
    return deploys;
}

Layer load_layer(const std::string& directory, std::vector<Diagnostic>& warnings) {
    const fs::path path = fs::absolute(directory).lexically_normal();
    const std::string dir = path.filename().empty() ? path.parent_path().string() : path.string();
    const std::string file = dir + "/layer.yml";
    std::vector<Diagnostic> findings;
    Layer layer = spec::decode_layer_file(spec::read_text_file(file), file, fs::path(dir).filename().string(), dir, findings);
    layer.manifests = spec::layer_manifests(dir);
    settle(findings, warnings);
    return layer;
}

std::string resolve_layer_ref(Project& project, const std::string& ref, const std::string& base) {
    if (!is_directory_ref(ref)) return layer_key(ref);
    const std::string directory = layer_directory(ref, fs::absolute(base).string());
    if (!fs::exists(fs::path(directory) / "layer.yml"))
        throw LayerNotFound(ref, "", fmt::format("{}: no layer.yml in {}", ref, directory));
    Layer layer = load_layer(directory, project.warnings);
    const auto [known, is_new] = project.layers.try_emplace(layer.key, layer);
    if (!is_new && known->second.dir != layer.dir)
        throw Error(Errc::spec_invalid, fmt::format("layer \"{}\" is in {} and in {}", layer.key, known->second.dir, layer.dir));
    return layer.key;
}

}  // namespace ov
