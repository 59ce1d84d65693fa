#include "state/repo_cache.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "async/process.hpp"
#include "ov/error.hpp"
#include "state/state_file.hpp"

namespace ov::state {

namespace {

namespace fs = std::filesystem;

/// Words that git must not take for options or paths out of the cache.
void check_words(const RepositoryAt& what) {
    for (const std::string& word : {what.repository, what.version})
        if (word.starts_with('-') || word.find("..") != std::string::npos ||
            word.find_first_of(" \t\n\\:?*[~^") != std::string::npos)
            throw Error(Errc::spec_invalid, fmt::format("\"{}\" cannot be part of a remote reference", word));
}

/// "feature/x" must not become a directory of its own.
std::string file_name(std::string version) {
    for (char& c : version)
        if (c == '/') c = '%';
    return version;
}

std::string url_of(const std::string& repository) {
    return "https://" + repository + ".git";
}

/// git without prompts, so that a private repository is an error and not a question nobody sees.
ProcessOptions git(std::vector<std::string> words) {
    ProcessOptions options;
    options.argv = std::move(words);
    options.argv.insert(options.argv.begin(), "git");
    options.variables = {"GIT_TERMINAL_PROMPT=0"};
    return options;
}

std::string last_line(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

std::optional<nlohmann::json> read_record(const std::string& path) {
    const auto text = read_file(path);
    if (!text) return std::nullopt;
    const auto record = nlohmann::json::parse(*text, nullptr, false);
    return record.is_object() ? std::optional(record) : std::nullopt;
}

std::string word_of(const std::optional<nlohmann::json>& record, const char* key) {
    return record && record->contains(key) && (*record)[key].is_string() ? (*record)[key].get<std::string>() : std::string();
}

/// Files of one repository at one version.
struct Places {
    std::string directory, record, partial, lock;

    Places(const std::string& root, const std::string& repository, const std::string& version) {
        const fs::path parent = fs::path(root) / fs::path(repository).parent_path();
        const std::string name = fs::path(repository).filename().string() + "@" + file_name(version);
        directory = (parent / name).string();
        record = (parent / ("." + name + ".json")).string();
        partial = (parent / ("." + name + ".partial")).string();
        lock = (parent / ("." + name + ".lock")).string();
    }
};

/// What is cached, or nullopt. A directory without record was put there by hand and counts as well.
std::optional<Checkout> cached(const Places& places, const std::string& version) {
    if (!fs::is_directory(places.directory)) return std::nullopt;
    return Checkout{places.directory, version, word_of(read_record(places.record), "commit")};
}

/// Swaps the finished checkout in.
void install(const Places& places, const nlohmann::json& record) {
    fs::remove_all(places.partial + "/.git");
    write_file(places.record, record.dump() + "\n", 0644);
    const std::string old = places.partial + ".old";
    fs::remove_all(old);
    if (fs::exists(places.directory)) fs::rename(places.directory, old);
    fs::rename(places.partial, places.directory);
    fs::remove_all(old);
}

}  // namespace

asio::awaitable<std::string> RepoCache::default_branch(std::string repository, Deadline deadline, bool refresh) {
    const Places places(root_, repository, "HEAD");
    const std::string known = word_of(read_record(places.record), "branch");
    if (!known.empty() && !refresh) co_return known;
    const std::vector<std::string> words{"ls-remote", "--symref", url_of(repository), "HEAD"};
    ProcessOptions options = git(words);
    ProcessOutput answer = co_await run_process(std::move(options), deadline);
    // "ref: refs/heads/main\tHEAD"
    constexpr std::string_view prefix = "ref: refs/heads/";
    const std::size_t begin = answer.out.find(prefix);
    if (answer.status != 0 || begin == std::string::npos) {
        if (!known.empty()) co_return known;
        throw Error(Errc::unreachable,
                    fmt::format("cannot ask {} for its default branch: {}", url_of(repository), last_line(answer.err)));
    }
    const std::size_t from = begin + prefix.size();
    const std::string branch = answer.out.substr(from, answer.out.find('\t', from) - from);
    const nlohmann::json record = {{"schema", 1}, {"branch", branch}};
    const std::string text = record.dump() + "\n";
    const std::string path = places.record;
    auto write = [path, text] { write_file(path, text, 0644); };
    co_await pool_->run(deadline, write);
    co_return branch;
}

asio::awaitable<Checkout> RepoCache::checkout(RepositoryAt what, Deadline deadline, bool refresh) {
    check_words(what);
    std::string version = what.version;
    if (version.empty()) version = co_await default_branch(what.repository, deadline, refresh);
    const Places places(root_, what.repository, version);
    if (!refresh)
        if (auto found = cached(places, version)) co_return *found;

    const std::string lock_path = places.lock;
    auto take_lock = [lock_path, deadline] {
        return std::make_shared<FileLock>(
            FileLock::acquire(lock_path, std::chrono::minutes(10), [deadline] { return deadline.cancelled(); }));
    };
    const std::shared_ptr<FileLock> lock = co_await pool_->run(deadline, take_lock);
    // Another process may have fetched it while we waited.
    if (!refresh)
        if (auto found = cached(places, version)) co_return *found;
    co_return co_await fetch(what.repository, version, places.directory, deadline);
}

asio::awaitable<Checkout> RepoCache::fetch(std::string repository, std::string version, std::string target, Deadline deadline) {
    const Places places(root_, repository, version);
    const std::string partial = places.partial;
    auto clear = [partial] { fs::remove_all(partial); };  // what an interrupted run left
    co_await pool_->run(deadline, clear);

    const std::string url = url_of(repository);
    std::vector<std::vector<std::string>> commands;
    commands.push_back({"-c", "init.defaultBranch=main", "init", "-q", partial});
    commands.push_back({"-C", partial, "fetch", "-q", "--depth", "1", "--no-tags", url, version});
    commands.push_back({"-C", partial, "-c", "advice.detachedHead=false", "checkout", "-q", "--detach", "FETCH_HEAD"});
    for (const auto& words : commands) {
        ProcessOptions options = git(words);
        ProcessOutput done = co_await run_process(std::move(options), deadline);
        if (done.status == 0) continue;
        const std::string reason = last_line(done.err);
        const bool no_such_version = done.err.find("couldn't find remote ref") != std::string::npos;
        throw Error(
            no_such_version ? Errc::not_found : Errc::unreachable,
            fmt::format("cannot fetch {} at {} ({}): {}; nothing is cached in {}", repository, version, url, reason, target));
    }
    const std::vector<std::string> ask{"-C", partial, "rev-parse", "HEAD"};
    ProcessOptions options = git(ask);
    ProcessOutput head = co_await run_process(std::move(options), deadline);
    const std::string commit = last_line(head.out);
    const nlohmann::json record = {{"schema", 1}, {"url", url}, {"version", version}, {"commit", commit}};
    auto swap_in = [places, record] { install(places, record); };
    co_await pool_->run(deadline, swap_in);
    co_return Checkout{target, version, commit};
}

}  // namespace ov::state
