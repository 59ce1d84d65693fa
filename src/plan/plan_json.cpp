// The JSON form of a plan (`install-plan.md` 3, 4, 5 and 12).
#include <nlohmann/json.hpp>

#include "ov/plan_output.hpp"
#include "plan/plan_json.hpp"

namespace ov {

namespace {

using Json = nlohmann::json;

/// The authored task with the field names of the reference.
Json authored_task(const TaskStep& step) {
    Json task = {{"Cmd", ""},
                 {"Mkdir", ""},
                 {"Copy", ""},
                 {"Write", ""},
                 {"Link", ""},
                 {"Download", ""},
                 {"Setcap", ""},
                 {"Build", ""},
                 {"User", ""},
                 {"Mode", ""},
                 {"To", ""},
                 {"Target", ""},
                 {"Content", ""},
                 {"Extract", ""},
                 {"Include", nullptr},
                 {"StripComponents", 0},
                 {"Uninstall", nullptr},
                 {"Env", nullptr},
                 {"Caps", ""},
                 {"Comment", ""},
                 {"Cache", ""}};
    const auto set = [&](const char* key, const std::string& value) { task[key] = value; };
    switch (step.verb) {
        case TaskVerb::cmd:
            set("Cmd", step.cmd);
            break;
        case TaskVerb::mkdir:
            set("Mkdir", step.path_text);
            break;
        case TaskVerb::copy:
            set("Copy", step.source_text);
            break;
        case TaskVerb::write:
            set("Write", step.path_text);
            break;
        case TaskVerb::link:
            set("Link", step.path_text);
            break;
        case TaskVerb::download:
            set("Download", step.source_text);
            break;
        case TaskVerb::setcap:
            set("Setcap", step.path_text);
            break;
        case TaskVerb::build:
            set("Build", step.path_text);
            break;
    }
    if (step.verb == TaskVerb::copy || step.verb == TaskVerb::download) set("To", step.path_text);
    set("User", step.user_text);
    set("Mode", step.mode_text);
    set("Target", step.target_text);
    set("Content", step.content);
    set("Extract", step.extract);
    if (!step.include.empty()) task["Include"] = step.include;
    task["StripComponents"] = step.strip_components;
    if (!step.uninstall.empty()) task["Uninstall"] = step.uninstall;
    if (!step.env.empty()) task["Env"] = step.env;
    set("Caps", step.caps);
    set("Comment", step.comment);
    set("Cache", step.cache);
    if (!step.checksum.empty()) task["Checksum"] = step.checksum;
    return task;
}

Json list_or_null(const std::vector<std::string>& list) {
    return list.empty() ? Json(nullptr) : Json(list);
}

struct StepFields {
    Json operator()(const SystemPackagesStep& step) const {
        Json repos = Json::array();
        for (const auto& repo : step.repos) repos.push_back({{"Raw", repo}});
        return {{"Format", step.format},
                {"Phase", static_cast<int>(step.phase)},
                {"Packages", list_or_null(step.packages)},
                {"Repos", repos.empty() ? Json(nullptr) : repos},
                {"Options", list_or_null(step.options)},
                {"Copr", list_or_null(step.copr)},
                {"Modules", list_or_null(step.modules)},
                {"Exclude", list_or_null(step.exclude)},
                {"Keys", list_or_null(step.keys)},
                {"EnableRepos", list_or_null(step.enable_repos)},
                {"CacheMount", nullptr},
                {"RawInstallContext", nullptr}};
    }
    Json operator()(const BuilderStep& step) const {
        Json context = {{"layer", step.layer}, {"builder", step.builder}, {"home", home_token}};
        if (!step.env_name.empty()) context["env_name"] = step.env_name;
        if (!step.packages.empty()) context["packages"] = step.packages;
        if (!step.options.empty()) context["options"] = step.options;
        if (!step.replaces.empty()) context["replaces"] = step.replaces;
        if (!step.binaries.empty()) context["binaries"] = step.binaries;
        Json artifacts = nullptr;
        if (step.builder == "aur")
            artifacts = Json::array({{{"ContainerPath", "/tmp/aur-pkgs/"}, {"HostPath", ""}, {"Chown", false}}});
        return {{"Builder", step.builder},
                {"BuilderImage", step.image},
                {"LayerName", step.layer},
                {"LayerDir", step.layer_dir},
                {"Phase", static_cast<int>(Phase::install)},
                {"Artifacts", artifacts},
                {"RawStageContext", context}};
    }
    Json operator()(const TaskStep& step) const {
        const bool has_to = step.verb == TaskVerb::copy || step.verb == TaskVerb::download;
        Json fields = {{"Task", authored_task(step)},
                       {"LayerName", step.layer},
                       {"LayerDir", step.layer_dir},
                       {"CtxPath", step.layer_dir},
                       {"ResolvedUser", step.resolved_user},
                       {"To", has_to ? step.path : std::string()},
                       {"Path", step.path},
                       {"LayerVars", step.layer_vars.empty() ? Json(nullptr) : Json(step.layer_vars)},
                       {"Verb", to_string(step.verb)},
                       {"Index", step.index}};
        return fields;
    }
    Json operator()(const FileStep& step) const {
        return {
            {"Source", step.source}, {"Dest", step.dest}, {"Mode", step.mode}, {"Owner", step.owner}, {"LayerName", step.layer}};
    }
    Json operator()(const ServicePackagedStep& step) const {
        return {{"Unit", step.unit},
                {"TargetScope", static_cast<int>(step.target_scope)},
                {"Enable", step.enable},
                {"OverridesText", step.overrides_text},
                {"OverridesPath", step.overrides_path},
                {"LayerName", step.layer},
                {"PriorEnabled", false}};
    }
    Json operator()(const ServiceCustomStep& step) const {
        return {{"Name", step.name},          {"UnitText", step.unit_text},
                {"UnitPath", step.unit_path}, {"TargetScope", static_cast<int>(step.target_scope)},
                {"Enable", step.enable},      {"LayerName", step.layer}};
    }
    Json operator()(const ShellHookStep& step) const {
        return {{"LayerName", step.layer},
                {"EnvVars", step.env_vars.empty() ? Json(nullptr) : Json(step.env_vars)},
                {"PathAdd", list_or_null(step.path_add)},
                {"EnvFile", step.env_file}};
    }
    Json operator()(const ShellSnippetStep& step) const {
        return {{"LayerName", step.layer},         {"Origin", step.layer},
                {"Marker", step.marker},           {"Shell", step.shell},
                {"Snippet", step.snippet},         {"PathAppend", list_or_null(step.path_append)},
                {"Destination", step.destination}, {"UseDropin", step.use_dropin},
                {"Priority", step.priority}};
    }
    Json operator()(const RepoChangeStep& step) const {
        return {{"Format", step.format},
                {"File", step.file},
                {"Content", step.content},
                {"Checksum", step.checksum},
                {"LayerName", step.layer}};
    }
    Json operator()(const ApkInstallStep& step) const {
        Json packages = Json::array();
        for (const ApkPackage& apk : step.packages) {
            Json entry = Json::object();
            const auto set = [&](const char* key, const std::string& value) {
                if (!value.empty()) entry[key] = value;
            };
            set("package", apk.package);
            set("apk", apk.apk);
            set("source", apk.source);
            set("arch", apk.arch);
            set("app_version", apk.app_version);
            packages.push_back(std::move(entry));
        }
        return {{"Packages", packages}, {"LayerName", step.layer}, {"LayerDir", step.layer_dir}};
    }
    Json operator()(const RebootStep& step) const { return {{"LayerName", step.layer}}; }
};

}  // namespace

namespace plan {

Json step_json(const Step& step) {
    Json fields = std::visit(StepFields{}, step.body);
    fields["Kind"] = step.kind();
    fields["Scope"] = to_string(step.scope());
    fields["Venue"] = to_string(step.venue());
    fields["Gate"] = to_string(step.gate());
    return fields;
}

}  // namespace plan

Json to_json(const ReverseOp& op) {
    Json json = {{"kind", op.kind}};
    if (!op.format.empty()) json["format"] = op.format;
    if (!op.targets.empty()) json["targets"] = op.targets;
    if (op.scope != Scope::system) json["scope"] = static_cast<int>(op.scope);
    if (!op.extra.empty()) json["extra"] = op.extra;
    return json;
}

Json to_json(const InstallPlan& plan, const ScriptSource& scripts) {
    Json steps = Json::array();
    for (const Step& step : plan.steps) {
        Json fields = plan::step_json(step);
        Json reverse = Json::array();
        for (const ReverseOp& op : reverse_ops(step)) reverse.push_back(to_json(op));
        fields["Reverse"] = std::move(reverse);
        if (scripts) {
            Json list = Json::array();
            for (const PrintedScript& script : scripts(plan, step))
                list.push_back({{"run_as", script.run_as}, {"text", script.text}});
            fields["Scripts"] = std::move(list);
        }
        steps.push_back(std::move(fields));
    }
    return {{"DeployID", plan.deploy_id},
            {"Image", plan.image},
            {"Version", plan.version},
            {"Distro", plan.distro},
            {"Layer", plan.layer},
            {"Steps", steps.empty() ? Json(nullptr) : steps},
            {"LayersIncluded", list_or_null(plan.layers_included)},
            {"AddLayers", list_or_null(plan.add_layers)},
            {"BuilderImage", ""},
            {"Meta", nullptr}};
}

}  // namespace ov
