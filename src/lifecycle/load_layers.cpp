#include "lifecycle/load_layers.hpp"

#include <asio/co_spawn.hpp>
#include <exception>

#include "spec/remote_layers.hpp"

namespace ov {

asio::awaitable<void> load_remote_layers(Project& project, std::vector<std::string> requests, state::RepoCache& cache,
                                         Deadline deadline, bool refresh) {
    spec::Checkouts checkouts;
    for (;;) {
        const std::vector<spec::RepositoryAt> lacking = spec::resolve_remote_layers(project, requests, checkouts);
        if (lacking.empty()) co_return;
        for (const spec::RepositoryAt& what : lacking) {
            spec::Checkout before;
            if (refresh) before = co_await cache.checkout(what, deadline, false);
            spec::Checkout now = co_await cache.checkout(what, deadline, refresh);
            if (refresh && !before.commit.empty() && before.commit != now.commit)
                project.warnings.push_back(
                    {{},
                     {},
                     what.repository + " at " + now.version + " moved from " + before.commit + " to " + now.commit,
                     Severity::warning});
            checkouts.emplace(what, std::move(now));
        }
    }
}

void fetch_remote_layers(Project& project, const std::vector<std::string>& requests, const std::string& cache_root,
                         Runtime& runtime, Deadline deadline, bool refresh) {
    if (!refresh && spec::resolve_remote_layers(project, requests, {}).empty()) return;
    state::RepoCache cache(cache_root, runtime.pool);
    std::exception_ptr failure;
    runtime.io.restart();
    asio::co_spawn(runtime.io, load_remote_layers(project, requests, cache, deadline, refresh),
                   [&](std::exception_ptr error) { failure = error; });
    runtime.io.run();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace ov
