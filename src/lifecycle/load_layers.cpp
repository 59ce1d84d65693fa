#include "lifecycle/load_layers.hpp"

#include <exception>

#include "spec/remote_layers.hpp"

namespace ov {

asio::awaitable<void> read_remote(RemoteReader read, state::RepoCache& cache, Deadline deadline, bool refresh,
                                  std::vector<Diagnostic>& warnings) {
    Checkouts checkouts;
    for (;;) {
        const std::vector<RepositoryAt> lacking = read(checkouts);
        if (lacking.empty()) co_return;
        for (const RepositoryAt& what : lacking) {
            if (checkouts.contains(what)) continue;
            Checkout before;
            if (refresh) before = co_await cache.checkout(what, deadline, false);
            Checkout now = co_await cache.checkout(what, deadline, refresh);
            if (refresh && !before.commit.empty() && before.commit != now.commit)
                warnings.push_back({{},
                                    {},
                                    what.repository + " at " + now.version + " moved from " + before.commit + " to " + now.commit,
                                    Severity::warning});
            checkouts.emplace(what, std::move(now));
        }
    }
}

asio::awaitable<void> load_remote_layers(Project& project, std::vector<std::string> requests, state::RepoCache& cache,
                                         Deadline deadline, bool refresh) {
    const auto read = [&](const Checkouts& checkouts) { return spec::resolve_remote_layers(project, requests, checkouts); };
    const RemoteReader reader = read;
    std::vector<Diagnostic> moved;
    co_await read_remote(reader, cache, deadline, refresh, moved);
    project.warnings.insert(project.warnings.end(), moved.begin(), moved.end());
}

namespace {

void run_loop(const RemoteReader& read, const RemoteAccess& access, std::vector<Diagnostic>& warnings) {
    state::RepoCache cache(access.cache_root, access.runtime.pool);
    access.runtime.run_until_done(read_remote(read, cache, access.deadline, access.refresh, warnings));
}

}  // namespace

Project load_project(LoadOptions options, const RemoteAccess& access) {
    const Checkouts none;
    options.checkouts = &none;
    Project project = load_project(options);
    if (project.lacking.empty()) return project;
    std::vector<Diagnostic> moved;
    const RemoteReader read = [&](const Checkouts& checkouts) {
        options.checkouts = &checkouts;
        project = load_project(options);
        return project.lacking;
    };
    run_loop(read, access, moved);
    project.warnings.insert(project.warnings.end(), moved.begin(), moved.end());
    return project;
}

void fetch_image(Project& project, const std::string& name, const RemoteAccess& access) {
    if (resolve_image(project, name, {}).empty()) return;
    std::vector<Diagnostic> moved;
    run_loop([&](const Checkouts& checkouts) { return resolve_image(project, name, checkouts); }, access, moved);
    project.warnings.insert(project.warnings.end(), moved.begin(), moved.end());
}

void fetch_remote_layers(Project& project, const std::vector<std::string>& requests, const RemoteAccess& access) {
    if (!access.refresh && spec::resolve_remote_layers(project, requests, {}).empty()) return;
    std::vector<Diagnostic> moved;
    run_loop([&](const Checkouts& checkouts) { return spec::resolve_remote_layers(project, requests, checkouts); }, access,
             moved);
    project.warnings.insert(project.warnings.end(), moved.begin(), moved.end());
}

}  // namespace ov
