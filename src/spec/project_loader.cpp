#include "spec/project_loader.hpp"

#include <algorithm>
#include <filesystem>

#include "model/names.hpp"
#include "ov/error.hpp"
#include "spec/decode_deploy.hpp"
#include "spec/decode_layer.hpp"
#include "spec/decode_vm_entity.hpp"
#include "spec/decode_vm_spec.hpp"
#include "spec/document_shape.hpp"
#include "spec/yaml_document.hpp"

namespace ov::spec {

namespace {

namespace fs = std::filesystem;

constexpr int deepest_import = 8;

}  // namespace

ProjectLoader::ProjectLoader(const std::string& root, const Checkouts* checkouts)
    : root_(root), directory_(fs::path(root).parent_path().string()), checkouts_(checkouts) {}

void ProjectLoader::report(Severity severity, const SourcePosition& where, std::string message) {
    findings_->push_back({where, {}, std::move(message), severity});
}

Project ProjectLoader::load(std::vector<Diagnostic>& findings) {
    findings_ = &findings;
    project_.directory = directory_;
    visit(root_, 0, {});
    std::sort(project_.lacking.begin(), project_.lacking.end());
    if (!project_.lacking.empty()) return std::move(project_);
    // A file that could not be read has no version either; that is not its mistake.
    if (root_read_) check_version(root_);
    check_beds();
    discover_layers();
    discover_entities();
    find_custom_manifests();
    scan_for_retired_files();
    return std::move(project_);
}

void ProjectLoader::visit(const std::string& file, int depth, const SourcePosition& imported_at) {
    if (std::find(open_files_.begin(), open_files_.end(), file) != open_files_.end()) {
        std::string chain;
        for (const std::string& open : open_files_) chain += open + " -> ";
        return report(Severity::error, imported_at, "import cycle: " + chain + file);
    }
    if (!visited_.insert(file).second) return;
    if (depth > deepest_import)
        return report(Severity::error, imported_at, fmt::format("imports are nested deeper than {}", deepest_import));

    std::string text;
    try {
        text = read_text_file(file);
    } catch (const Error& e) {
        const char* what = file == root_ ? "the project" : "import";
        return report(Severity::error, imported_at, fmt::format("{} cannot be read: {}", what, e.what()));
    }
    open_files_.push_back(file);
    std::vector<Import> outer_imports = std::exchange(pending_imports_, {});
    Report to{file, *findings_};
    const std::size_t before = findings_->size();
    const std::vector<YamlPtr> documents = parse_yaml(text, file, *findings_);
    if (file == root_) root_read_ = findings_->size() == before;
    for (std::size_t i = 0; i < documents.size(); ++i) {
        const Cursor document(documents[i], {}, to);
        if (documents[i]->is_null() || (documents[i]->is_map() && documents[i]->entries.empty())) continue;
        if (documents[i]->is_map())
            read_document(document, file);
        else
            document.error(fmt::format("document {}: expected a mapping, got a {}", i + 1, kind_name(*documents[i])));
    }
    // The file's own entities came first, so they win over those of its imports.
    const std::vector<Import> imports = std::exchange(pending_imports_, std::move(outer_imports));
    for (const Import& import : imports) visit(import.file, depth + 1, import.where);
    open_files_.pop_back();
}

void ProjectLoader::read_document(const Cursor& authored, const std::string& file) {
    // Older pages write `vms:`.
    const Cursor document(renamed_key(authored.share(), "vms", "vm", {}, authored.report()), {}, authored.report());
    const DocumentShape shape = recognise(document);
    if (shape.shape == Shape::collection) read_collection(document, file);
    if (shape.shape == Shape::entity) read_entity(document, shape.kind);
}

void ProjectLoader::read_collection(const Cursor& document, const std::string& file) {
    MapReader reader(document);
    if (const auto version = reader.take("version"); version && project_.version.empty()) project_.version = version->text();
    if (const auto imports = reader.take("import")) read_imports(*imports, file);
    if (const auto discover = reader.take("discover")) read_discover(*discover, file);
    if (const auto defaults = reader.take("defaults")) read_defaults(*defaults);
    for (const std::string_view kind : {"layer", "vm", "deploy", "image", "eval", "builder", "distro", "init"})
        if (const auto entities = reader.take(kind))
            for (const auto& [name, value] : entities->entries()) add_named(std::string(kind), name, value, file);
}

void ProjectLoader::read_entity(const Cursor& document, const std::string& kind) {
    MapReader reader(document);
    const auto entity = reader.take(kind);
    const std::string name = MapReader(*entity).text("name");
    if (name.empty()) return entity->error(fmt::format("a {} document needs a name", kind));
    if (kind == "vm") {
        const YamlNode* spec = entity->node().find("spec");
        if (spec == nullptr) return entity->error("the body of a vm document stands below spec:");
        for (const YamlEntry& entry : entity->node().entries)
            if (entry.key == "spec")
                add_named(kind, name, Cursor(entry.value, "vm." + name, entity->report()), entity->where().file);
        return;
    }
    auto body = std::make_shared<YamlNode>(entity->node());
    std::erase_if(body->entries, [](const YamlEntry& entry) { return entry.key == "name"; });
    add_named(kind, name, Cursor(std::move(body), kind + "." + name, entity->report()), entity->where().file);
}

void ProjectLoader::add_named(const std::string& kind, const std::string& name, const Cursor& value, const std::string& file) {
    if (kind == "layer") return read_layer_entry(name, value, file);
    for (const auto& [opaque, into] : {std::pair{"image", &project_.images},
                                       {"builder", &project_.builders},
                                       {"distro", &project_.distros},
                                       {"init", &project_.inits}})
        if (kind == opaque) {
            if (!value.node().is_map() && !value.node().is_null()) return value.expected("a mapping");
            into->emplace(name, value.share());
            return;
        }
    if (!value.node().is_map()) return value.expected("a mapping");
    if (kind == "vm" && !project_.vms.contains(name)) project_.vms.emplace(name, decode_vm_entity(name, value));
    if (kind == "deploy") {
        if (std::find(bed_names_.begin(), bed_names_.end(), name) != bed_names_.end())
            return value.error(fmt::format("\"{}\" is both a deploy and an eval bed", name));
        if (!project_.deploys.contains(name)) project_.deploys.emplace(name, decode_deploy_node(name, value));
    }
    if (kind == "eval") {
        if (std::find(bed_names_.begin(), bed_names_.end(), name) != bed_names_.end()) return;
        if (project_.deploys.contains(name)) return value.error(fmt::format("\"{}\" is both a deploy and an eval bed", name));
        bed_names_.push_back(name);
        std::vector<Diagnostic> about_bed_keys;  // a bed has keys of its own beside those of a deploy
        Report quiet{file, about_bed_keys};
        DeployNode bed = decode_deploy_node(name, Cursor(value.share(), value.path(), quiet));
        for (Diagnostic& finding : about_bed_keys)
            if (finding.severity == Severity::error) findings_->push_back(std::move(finding));
        if (!bed.disposable.value_or(false)) value.error("an eval bed needs disposable: true");
        if (bed.target == "k8s") value.error("unsupported target k8s for an eval bed");
        if (bed.target == "vm" && bed.vm.empty()) value.error("an eval bed with target vm needs vm:");
        project_.deploys.emplace(name, std::move(bed));
    }
}

void ProjectLoader::check_beds() {
    for (const std::string& name : bed_names_) {
        const auto bed = project_.deploys.find(name);
        if (bed == project_.deploys.end() || bed->second.vm.empty() || project_.vms.contains(bed->second.vm)) continue;
        report(Severity::error, bed->second.where,
               fmt::format("the eval bed \"{}\" names the VM \"{}\", which is not defined", name, bed->second.vm));
    }
}

void ProjectLoader::read_defaults(const Cursor& value) {
    MapReader reader(value);
    if (const auto builder = reader.take("builder"); builder && project_.defaults.builder.empty())
        project_.defaults.builder = builder->text_map();
}

void ProjectLoader::read_layer_entry(const std::string& name, const Cursor& value, const std::string& file) {
    if (!is_valid_layer_name(name)) return value.error(fmt::format("\"{}\" is no layer name: expected A-Z a-z 0-9 . _ -", name));
    if (project_.layers.contains(name)) return;
    if (const YamlNode* from = value.node().find("from"); from != nullptr && value.node().entries.size() == 1) {
        MapReader reader(value);
        const std::string directory = resolve(value, reader.text("from"), file);
        return directory.empty() ? void() : add_layer_directory(directory, name, value.where());
    }
    project_.layers.emplace(name, decode_layer_body(value, name, directory_));
}

void ProjectLoader::check_version(const std::string& file) {
    if (!visited_.contains(file)) return;
    const SourcePosition where{file, 1, 1};
    const long long found = schema_number(project_.version);
    const long long wanted = schema_number(schema_version);
    if (project_.version.empty())
        return report(Severity::error, where,
                      fmt::format("the project has no schema version; this program reads version: {}", schema_version));
    if (found == 0)
        return report(Severity::error, where,
                      fmt::format("version \"{}\" is no schema version (YEAR.DAY.HHMM); this program reads {}", project_.version,
                                  schema_version));
    if (found < wanted)
        return report(Severity::error, where,
                      fmt::format("the project has the old schema {}; this program reads {}", project_.version, schema_version));
    if (found > wanted)
        report(Severity::error, where,
               fmt::format("the project has schema {}, newer than {} of this program; update the program", project_.version,
                           schema_version));
}

}  // namespace ov::spec
