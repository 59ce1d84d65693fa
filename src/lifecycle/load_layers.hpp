// What a project names in git repositories - imports, images of mounted projects, layers - fetched as far as it is not
// cached.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "async/runtime.hpp"
#include "ov/deadline.hpp"
#include "ov/load.hpp"
#include "ov/project.hpp"
#include "state/repo_cache.hpp"

namespace ov {

/// Reads with the checkouts that are there, and says which ones it lacks.
using RemoteReader = std::function<std::vector<RepositoryAt>(const Checkouts&)>;

/// Calls `read` until it lacks nothing, fetching in between. `refresh` looks at branches and tags again; a tag that moved is
/// a warning that names both commits.
asio::awaitable<void> read_remote(RemoteReader read, state::RepoCache& cache, Deadline deadline, bool refresh,
                                  std::vector<Diagnostic>& warnings);

/// Puts every remote layer in the closure of `requests` (references as authored) into `project.layers`.
asio::awaitable<void> load_remote_layers(Project& project, std::vector<std::string> requests, state::RepoCache& cache,
                                         Deadline deadline, bool refresh = false);

/// How callers outside the loop fetch; the loop runs only when something is lacking.
struct RemoteAccess {
    std::string cache_root;
    Runtime& runtime;
    Deadline deadline;
    bool refresh = false;
};

/// `load_project` with its remote imports.
Project load_project(LoadOptions options, const RemoteAccess& access);
/// `resolve_image` with the repositories that it takes.
void fetch_image(Project& project, const std::string& name, const RemoteAccess& access);
void fetch_remote_layers(Project& project, const std::vector<std::string>& requests, const RemoteAccess& access);

}  // namespace ov
