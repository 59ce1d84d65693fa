// How each step is undone (`install-plan.md` 3 and 4), as far as the plan knows.
#include "ov/plan_output.hpp"

namespace ov {

namespace {

ReverseOp remove_files(Scope scope, std::vector<std::string> targets) {
    return {scope == Scope::system ? "rm-file-system" : "rm-file-user", {}, std::move(targets), scope, {}};
}

std::string repo_file(const std::string& format, const std::map<std::string, std::string>& repo) {
    const auto name = repo.find("name");
    const auto url = repo.find("url");
    if (name == repo.end() || url == repo.end()) return {};
    if (format == "deb") return "/etc/apt/sources.list.d/" + name->second + ".list";
    return format == "rpm" ? "/etc/yum.repos.d/" + name->second + ".repo" : std::string();
}

struct Reverser {
    Scope scope;
    std::vector<ReverseOp> ops;

    void operator()(const SystemPackagesStep& step) {
        if (step.phase == Phase::install && !step.packages.empty())
            ops.push_back({"package-remove", step.format, step.packages, Scope::system, {}});
        if (step.phase != Phase::prepare) return;
        for (const auto& repo : step.repos)
            if (std::string file = repo_file(step.format, repo); !file.empty())
                ops.push_back({"remove-repo-file", {}, {std::move(file)}, Scope::system, {{"format", step.format}}});
        for (const std::string& project : step.copr) ops.push_back({"copr-disable", step.format, {project}, Scope::system, {}});
    }
    void operator()(const BuilderStep& step) {
        if (step.builder == "aur" && !step.packages.empty())
            ops.push_back({"package-remove", "pac", step.packages, Scope::system, {}});
        if (step.builder == "pixi" && !step.env_name.empty())
            ops.push_back({"pixi-env-remove", {}, {step.env_name}, Scope::user, {{"layer", step.layer}}});
        if (step.builder == "cargo" && !step.binaries.empty())
            ops.push_back({"cargo-uninstall", {}, step.binaries, Scope::user, {}});
        if (step.builder == "npm" && !step.packages.empty())
            ops.push_back({"npm-uninstall-g", {}, step.packages, Scope::user, {}});
    }
    void operator()(const TaskStep& step) {
        switch (step.verb) {
            case TaskVerb::copy:
            case TaskVerb::write:
            case TaskVerb::link:
                ops.push_back(remove_files(scope, {step.path}));
                break;
            case TaskVerb::download:
                if (!step.uninstall.empty())
                    ops.push_back(remove_files(scope, step.uninstall));
                else if (!step.path.empty())
                    ops.push_back(remove_files(scope, {step.path}));
                break;
            default:
                break;
        }
    }
    void operator()(const FileStep& step) { ops.push_back(remove_files(scope, {step.dest})); }
    void operator()(const ServicePackagedStep& step) {
        if (step.enable) ops.push_back({"service-disable", {}, {step.unit}, scope, {}});
        if (!step.overrides_text.empty() && !step.overrides_path.empty())
            ops.push_back({"remove-dropin", {}, {step.overrides_path}, scope, {}});
    }
    void operator()(const ServiceCustomStep& step) {
        if (step.enable) ops.push_back({"service-disable", {}, {step.name}, scope, {}});
        ops.push_back({"service-remove", {}, {step.unit_path}, scope, {}});
    }
    void operator()(const ShellHookStep& step) {
        if (!step.env_file.empty())
            ops.push_back({"remove-envd-file", {}, {step.env_file}, Scope::user_profile, {{"layer", step.layer}}});
    }
    void operator()(const ShellSnippetStep& step) {
        if (step.use_dropin) {
            const bool system = is_system_path(step.destination);
            ops.push_back({system ? "rm-file-system" : "rm-file-user",
                           {},
                           {step.destination},
                           scope,
                           {{"layer", step.layer}, {"shell", step.shell}}});
        } else {
            ops.push_back({"remove-managed-block",
                           {},
                           {step.destination},
                           scope,
                           {{"layer", step.layer}, {"shell", step.shell}, {"marker", step.marker}}});
        }
    }
    void operator()(const RepoChangeStep& step) {
        ops.push_back({"remove-repo-file", {}, {step.file}, Scope::system, {{"layer", step.layer}, {"format", step.format}}});
    }
    void operator()(const ApkInstallStep&) {}
    void operator()(const RebootStep&) {}
};

}  // namespace

std::vector<ReverseOp> reverse_ops(const Step& step) {
    Reverser reverser{step.scope(), {}};
    std::visit(reverser, step.body);
    return std::move(reverser.ops);
}

}  // namespace ov
