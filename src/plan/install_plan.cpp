#include "ov/install_plan.hpp"
#include "ov/plan_output.hpp"

#include <algorithm>

namespace ov {

std::string_view to_string(Scope scope) noexcept {
    switch (scope) {
        case Scope::system:
            return "system";
        case Scope::user:
            return "user";
        case Scope::user_profile:
            return "user-profile";
    }
    return "unknown";
}

std::string_view to_string(Venue venue) noexcept {
    switch (venue) {
        case Venue::host_native:
            return "host-native";
        case Venue::container_builder:
            return "container-builder";
        case Venue::skip:
            return "skip";
    }
    return "unknown";
}

std::string_view to_string(Phase phase) noexcept {
    switch (phase) {
        case Phase::prepare:
            return "prepare";
        case Phase::install:
            return "install";
        case Phase::cleanup:
            return "cleanup";
    }
    return "unknown";
}

std::string_view to_string(Gate gate) noexcept {
    switch (gate) {
        case Gate::none:
            return "";
        case Gate::allow_repo_changes:
            return "allow-repo-changes";
        case Gate::allow_root_tasks:
            return "allow-root-tasks";
        case Gate::with_services:
            return "with-services";
    }
    return "unknown";
}

std::string_view to_string(TaskVerb verb) noexcept {
    switch (verb) {
        case TaskVerb::cmd:
            return "cmd";
        case TaskVerb::mkdir:
            return "mkdir";
        case TaskVerb::copy:
            return "copy";
        case TaskVerb::write:
            return "write";
        case TaskVerb::link:
            return "link";
        case TaskVerb::download:
            return "download";
        case TaskVerb::setcap:
            return "setcap";
        case TaskVerb::build:
            return "build";
    }
    return "unknown";
}

std::vector<VenueRun> steps_by_venue(const InstallPlan& plan) {
    std::vector<VenueRun> all;
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const Scope scope = plan.steps[i].scope();
        const Venue venue = plan.steps[i].venue();
        if (all.empty() || all.back().scope != scope || all.back().venue != venue) all.push_back({scope, venue, i, 0});
        ++all.back().count;
    }
    return all;
}

bool is_system_path(std::string_view path) noexcept {
    constexpr std::string_view trees[] = {"/etc/", "/usr/", "/var/", "/opt/",  "/root/", "/boot/",
                                          "/srv/", "/run/", "/lib/", "/sbin/", "/bin/"};
    return std::ranges::any_of(trees, [&](std::string_view tree) { return path.starts_with(tree); });
}

}  // namespace ov
