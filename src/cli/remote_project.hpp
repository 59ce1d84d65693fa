// A project for commands that deploy nothing: loaded with what it names in repositories.
#pragma once

#include <chrono>
#include <ostream>
#include <utility>

#include "cli/app_context.hpp"
#include "lifecycle/deploy_target.hpp"
#include "lifecycle/load_layers.hpp"

namespace ov::cli {

/// The loop that fetches repositories. Nothing runs in it when a project has all it needs.
struct Remote {
    Runtime runtime{1};
    RemoteAccess access;

    explicit Remote(bool refresh = false)
        : access{operator_paths().repositories, runtime, Deadline::unlimited("layers").child(std::chrono::minutes(10)), refresh} {
    }
};

/// Without the host's deploys: none of these commands concerns a deploy.
inline Project load(const std::string& directory, const Remote& remote) {
    return load_project({directory, std::nullopt}, remote.access);
}

/// What is suspicious about the project, once: an unknown key is left out, and whoever wrote it has to hear of it.
inline void tell_warnings(const Project& project, AppContext& app) {
    if (std::exchange(app.warned, true)) return;
    for (const Diagnostic& warning : project.warnings) app.err << warning.str() << '\n';
}

}  // namespace ov::cli
