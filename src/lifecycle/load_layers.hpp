// A project with the remote layers that a set of requests needs, fetched as far as they are not cached.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "ov/deadline.hpp"
#include "ov/project.hpp"
#include "state/repo_cache.hpp"

namespace ov {

/// Puts every remote layer in the closure of `requests` (references as authored) into `project.layers`. `refresh` looks at
/// branches and tags again; a tag that moved is a warning that names both commits.
asio::awaitable<void> load_remote_layers(Project& project, std::vector<std::string> requests, state::RepoCache& cache,
                                         Deadline deadline, bool refresh = false);

}  // namespace ov
