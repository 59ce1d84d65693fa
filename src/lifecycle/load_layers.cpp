#include "lifecycle/load_layers.hpp"

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

}  // namespace ov
