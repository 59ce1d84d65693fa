// A project with the remote layers that a set of requests needs, fetched as far as they are not cached.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "async/runtime.hpp"
#include "ov/deadline.hpp"
#include "ov/project.hpp"
#include "state/repo_cache.hpp"

namespace ov {

/// Puts every remote layer in the closure of `requests` (references as authored) into `project.layers`. `refresh` looks at
/// branches and tags again; a tag that moved is a warning that names both commits.
asio::awaitable<void> load_remote_layers(Project& project, std::vector<std::string> requests, state::RepoCache& cache,
                                         Deadline deadline, bool refresh = false);

/// The same for callers outside the loop: runs it until all is there. Starts nothing when the closure has no remote layer.
void fetch_remote_layers(Project& project, const std::vector<std::string>& requests, const std::string& cache_root,
                         Runtime& runtime, Deadline deadline, bool refresh = false);

}  // namespace ov
