// What every step answers: kind, scope, venue, gate and a line for people.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ov/install_plan.hpp"

namespace ov {

namespace {

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;  // clang 14 does not deduce aggregates

std::string count_of(std::size_t n, std::string_view one) {
    return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

std::string summary_of(const SystemPackagesStep& step) {
    const std::string phase(to_string(step.phase));
    if (step.phase == Phase::install)
        return fmt::format("{}: {} ({})", step.format, count_of(step.packages.size(), "package"), phase);
    const std::size_t sources = step.repos.size() + step.copr.size() + step.modules.size();
    return fmt::format("{}: {} ({})", step.format, count_of(sources, "package source"), phase);
}

std::string summary_of(const TaskStep& step) {
    std::string text = fmt::format("task {}: {}", step.index, to_string(step.verb));
    // A command's text may hold anything; its place in the list says which one it is.
    if (step.verb == TaskVerb::download)
        text += " to " + step.path;
    else if (!step.path.empty())
        text += " " + step.path;
    return text;
}

}  // namespace

std::string_view Step::kind() const noexcept {
    static constexpr std::array<std::string_view, std::variant_size_v<StepBody>> names{
        "SystemPackages", "Builder",      "Task",       "File",       "ServicePackaged", "ServiceCustom",
        "ShellHook",      "ShellSnippet", "RepoChange", "ApkInstall", "Reboot"};
    return names[body.index()];
}

Scope Step::scope() const {
    return std::visit(
        Overloaded{
            [](const BuilderStep& step) { return step.builder == "aur" ? Scope::system : Scope::user; },
            [](const TaskStep& step) {
                const std::string& user = step.resolved_user;
                return user.empty() || user == "root" || user == "0" || user == "0:0" ? Scope::system : Scope::user;
            },
            [](const FileStep& step) { return is_system_path(step.dest) ? Scope::system : Scope::user; },
            [](const ServicePackagedStep& step) { return step.target_scope; },
            [](const ServiceCustomStep& step) { return step.target_scope; },
            [](const ShellHookStep&) { return Scope::user_profile; },
            [](const ShellSnippetStep& step) { return is_system_path(step.destination) ? Scope::system : Scope::user_profile; },
            [](const auto&) { return Scope::system; },
        },
        body);
}

Venue Step::venue() const {
    return std::holds_alternative<BuilderStep>(body) ? Venue::container_builder : Venue::host_native;
}

Gate Step::gate() const {
    return std::visit(Overloaded{
                          [](const SystemPackagesStep& step) {
                              const bool changes = !step.repos.empty() || !step.copr.empty() || !step.modules.empty();
                              return step.phase == Phase::prepare && changes ? Gate::allow_repo_changes : Gate::none;
                          },
                          [&](const TaskStep& step) {
                              return step.verb == TaskVerb::cmd && scope() == Scope::system ? Gate::allow_root_tasks : Gate::none;
                          },
                          [](const ServicePackagedStep&) { return Gate::with_services; },
                          [](const ServiceCustomStep&) { return Gate::with_services; },
                          [](const RepoChangeStep&) { return Gate::allow_repo_changes; },
                          [](const auto&) { return Gate::none; },
                      },
                      body);
}

std::string Step::summary() const {
    return std::visit(Overloaded{
                          [](const SystemPackagesStep& step) { return summary_of(step); },
                          [](const TaskStep& step) { return summary_of(step); },
                          [](const BuilderStep& step) {
                              return step.packages.empty()
                                         ? step.builder
                                         : fmt::format("{}: {}", step.builder, count_of(step.packages.size(), "package"));
                          },
                          [](const FileStep& step) { return step.dest; },
                          [](const ServicePackagedStep& step) { return step.unit + (step.enable ? " (enable)" : ""); },
                          [](const ServiceCustomStep& step) { return step.name + (step.enable ? " (enable)" : ""); },
                          [](const ShellHookStep& step) {
                              return fmt::format("{}, {} to PATH", count_of(step.env_vars.size(), "variable"),
                                                 count_of(step.path_add.size(), "addition"));
                          },
                          [](const ShellSnippetStep& step) { return fmt::format("{} in {}", step.shell, step.destination); },
                          [](const RepoChangeStep& step) { return step.file; },
                          [](const ApkInstallStep& step) { return count_of(step.packages.size(), "package"); },
                          [](const RebootStep&) { return std::string("reboot"); },
                      },
                      body);
}

}  // namespace ov
