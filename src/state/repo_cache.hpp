// Repositories that layer references name, fetched by git into a cache on the operator's machine.
//
// ROOT/HOST/ORG/REPO@VERSION holds the files without .git; beside it .REPO@VERSION.json says which commit they are. A
// directory appears by one rename, so what is there is whole. Fetched content is never changed.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "async/blocking_pool.hpp"
#include "ov/deadline.hpp"
#include "ov/repository.hpp"

namespace ov::state {

class RepoCache {
public:
    /// `root`: usually ~/.cache/ov/repos. The pool must outlive the cache.
    RepoCache(std::string root, BlockingPool& pool) : root_(std::move(root)), pool_(&pool) {}

    /// The repository at a tag, branch or commit; without a version at its default branch. What is cached is used without
    /// touching the network, unless `refresh` asks for a new look; without network a cached default branch is reused.
    /// Throws Error{not_found} when the server has no such version, Error{unreachable} naming URL and git's words otherwise.
    asio::awaitable<Checkout> checkout(RepositoryAt what, Deadline deadline, bool refresh = false);

private:
    asio::awaitable<std::string> default_branch(std::string repository, Deadline deadline, bool refresh);
    asio::awaitable<Checkout> fetch(std::string repository, std::string version, std::string target, Deadline deadline);

    std::string root_;
    BlockingPool* pool_;
};

}  // namespace ov::state
