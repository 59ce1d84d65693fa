#include "deploy/artifacts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "async/event.hpp"

namespace ov {
namespace {

constexpr std::size_t most_bytes = 64 << 20;

std::optional<std::string> value_of(const std::string& name, const ArtifactRequest& request) {
    if (name == "layer_name") return request.layer;
    if (name == "HOME") return request.home;
    if (const auto found = request.variables.find(name); found != request.variables.end()) return found->second;
    const char* value = request.getenv ? request.getenv(name.c_str()) : nullptr;
    if (value != nullptr) return std::string(value);
    return std::nullopt;
}

std::string replaced(std::string text, const std::string& find, const std::string& replacement) {
    if (find.empty()) return text;
    for (std::size_t at = text.find(find); at != std::string::npos; at = text.find(find, at + replacement.size()))
        text.replace(at, find.size(), replacement);
    return text;
}

/// Makes parents with 0755 whatever the umask says.
void make_parents(const std::filesystem::path& directory) {
    if (directory.empty() || std::filesystem::exists(directory)) return;
    make_parents(directory.parent_path());
    std::filesystem::create_directory(directory);
    ::chmod(directory.c_str(), 0755);
}

asio::awaitable<std::string> read_remote(Executor& executor, std::string path, Deadline deadline) {
    std::string content;
    bool too_large = false;
    auto sink = [&content, &too_large](std::string_view bytes) {
        if (content.size() + bytes.size() > most_bytes)
            too_large = true;
        else
            content += bytes;
    };
    std::function<void(std::string_view)> take = sink;
    co_await executor.get(std::move(path), RunAs::root, std::move(take), deadline);
    if (too_large) throw Error(Errc::unsupported, "larger than 64 MiB");
    co_return content;
}

/// Nothing: the file is missing, for as long as the artifact says.
asio::awaitable<std::optional<std::string>> wait_for_file(Executor& executor, const Artifact& artifact, Deadline deadline) {
    const auto end = Deadline::Clock::now() + std::chrono::seconds(artifact.wait_seconds);
    for (;;) {
        std::optional<Error> missing;
        std::string content;
        try {
            content = co_await read_remote(executor, artifact.path, deadline);
        } catch (const Error& error) {
            if (error.code() != Errc::not_found) throw;
            missing = error;
        }
        if (!missing) co_return std::optional<std::string>(std::move(content));
        if (Deadline::Clock::now() >= end) co_return std::nullopt;
        co_await sleep_for(std::chrono::seconds(1), deadline);
    }
}

asio::awaitable<void> fetch(Executor& executor, const ArtifactRequest& request, const Artifact& artifact, Deadline deadline,
                            const EmitEvent& events) {
    if (artifact.path.empty() || artifact.path.front() != '/') throw Error(Errc::spec_invalid, "path: expected an absolute path");
    if (artifact.retrieve_to.empty()) throw Error(Errc::spec_invalid, "retrieve_to is missing");
    std::optional<std::string> content = co_await wait_for_file(executor, artifact, deadline);
    if (!content) {
        if (!artifact.optional) throw Error(Errc::not_found, fmt::format("{} is not on the machine", artifact.path));
        events(event::Note{Severity::note,
                           fmt::format("layer {}: {} is not on the machine, which is allowed", request.layer, artifact.path)});
        co_return;
    }
    for (const auto& [find, replacement] : artifact.rewrite)
        *content = replaced(std::move(*content), expand_artifact_text(find, request), expand_artifact_text(replacement, request));
    std::string to = expand_artifact_text(artifact.retrieve_to, request);
    if (to == "~" || to.starts_with("~/")) to = request.home + to.substr(1);
    write_artifact(to, *content, artifact.mode);
    events(event::Transfer{artifact.name.empty() ? artifact.path : artifact.name, content->size(), content->size()});
}

}  // namespace

std::string expand_artifact_text(std::string_view text, const ArtifactRequest& request) {
    std::string out;
    for (;;) {
        const std::size_t at = text.find("${");
        const std::size_t end = at == std::string_view::npos ? at : text.find('}', at);
        if (end == std::string_view::npos) return out + std::string(text);
        out += text.substr(0, at);
        const std::string_view inside = text.substr(at + 2, end - at - 2);
        const std::size_t dash = inside.find(":-");
        const auto value = value_of(std::string(inside.substr(0, dash)), request);
        if (dash != std::string_view::npos)
            out += value && !value->empty() ? *value : std::string(inside.substr(dash + 2));
        else
            out += value ? *value : std::string(text.substr(at, end - at + 1));
        text.remove_prefix(end + 1);
    }
}

void write_artifact(const std::string& path, std::string_view content, unsigned mode) {
    const std::filesystem::path target(path);
    const auto fail = [&path](const std::string& what) {
        const int reason = errno;
        throw Error(Errc::io, fmt::format("{}: {}: {}", path, what, std::strerror(reason)));
    };
    try {
        make_parents(target.parent_path());
    } catch (const std::filesystem::filesystem_error& error) {
        throw Error(Errc::io, fmt::format("{}: {}", path, error.code().message()));
    }
    std::string pattern = path + ".XXXXXX";
    const int file = ::mkostemp(pattern.data(), O_CLOEXEC);  // 0600 from its first moment
    if (file < 0) fail("cannot be made");
    std::size_t written = 0;
    bool good = true;
    while (good && written < content.size()) {
        const ssize_t count = ::write(file, content.data() + written, content.size() - written);
        good = count > 0;
        if (good) written += static_cast<std::size_t>(count);
    }
    good = good && ::fchmod(file, mode) == 0 && ::fsync(file) == 0;
    good = ::close(file) == 0 && good;
    if (good && ::rename(pattern.c_str(), path.c_str()) == 0) return;
    const int reason = errno;
    ::unlink(pattern.c_str());
    errno = reason;
    fail("cannot be written");
}

asio::awaitable<void> fetch_artifacts(Executor& executor, ArtifactRequest request, Deadline deadline, EmitEvent events) {
    for (const Artifact& artifact : request.artifacts) {
        std::optional<Error> failure;
        try {
            co_await fetch(executor, request, artifact, deadline, events);
        } catch (const Error& error) {
            failure = error;
        }
        if (failure)
            throw failure->within(
                fmt::format("layer {}, artifact {}", request.layer, artifact.name.empty() ? artifact.path : artifact.name));
    }
}

}  // namespace ov
