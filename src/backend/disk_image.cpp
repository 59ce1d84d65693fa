#include "backend/disk_image.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "async/process.hpp"
#include "ov/error.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

/// Removed unless it became the real thing.
class PartialFile {
public:
    explicit PartialFile(const std::string& target) : target_(target), path_(fmt::format("{}.new.{}", target, ::getpid())) {
        std::error_code failure;
        fs::create_directories(fs::path(target).parent_path(), failure);
        if (failure) throw Error(Errc::io, fmt::format("{}: {}", fs::path(target).parent_path().string(), failure.message()));
        fs::remove(path_, failure);
    }
    PartialFile(const PartialFile&) = delete;
    PartialFile& operator=(const PartialFile&) = delete;
    ~PartialFile() {
        std::error_code ignored;
        if (!done_) fs::remove(path_, ignored);
    }
    const std::string& path() const noexcept { return path_; }
    void finish() {
        std::error_code failure;
        fs::rename(path_, target_, failure);
        if (failure) throw Error(Errc::io, fmt::format("{}: {}", target_, failure.message()));
        done_ = true;
    }

private:
    std::string target_, path_;
    bool done_ = false;
};

}  // namespace

asio::awaitable<std::string> run_qemu_img(std::vector<std::string> words, Deadline deadline) {
    ProcessOptions options;
    options.argv = std::move(words);
    options.argv.insert(options.argv.begin(), "qemu-img");
    const std::string shown = fmt::format("{}", fmt::join(options.argv, " "));
    ProcessOutput output;
    try {
        output = co_await run_process(std::move(options), deadline);
    } catch (const Error& error) {
        if (error.code() != Errc::not_found) throw;
        throw Error(Errc::not_found, "qemu-img is not installed (Debian: apt-get install qemu-utils)");
    }
    if (output.status != 0) {
        const std::string said = trimmed(output.err.empty() ? output.out : output.err);
        const bool locked = said.find("lock") != std::string::npos;
        throw Error(locked ? Errc::busy : Errc::io, fmt::format("{}: {}", shown, said));
    }
    co_return std::move(output.out);
}

DiskInfo parse_disk_info(std::string_view json, const std::string& path) {
    const auto value = nlohmann::json::parse(json, nullptr, false);
    if (!value.is_object()) throw Error(Errc::io, fmt::format("{}: qemu-img said nothing about it", path));
    DiskInfo info;
    info.format = value.value("format", "");
    info.virtual_size = value.value("virtual-size", std::uint64_t{0});
    info.actual_size = value.value("actual-size", std::uint64_t{0});
    info.backing_file = value.value("full-backing-filename", value.value("backing-filename", ""));
    if (const auto snapshots = value.find("snapshots"); snapshots != value.end() && snapshots->is_array())
        for (const auto& snapshot : *snapshots) info.snapshots.push_back(snapshot.value("name", ""));
    return info;
}

asio::awaitable<DiskInfo> disk_info(std::string path, Deadline deadline, bool shared) {
    std::vector<std::string> words{"info", "--output=json"};
    if (shared) words.push_back("--force-share");
    words.push_back(path);
    const std::string text = co_await run_qemu_img(std::move(words), deadline);
    co_return parse_disk_info(text, path);
}

asio::awaitable<void> create_overlay(std::string base, std::string base_format, std::string path,
                                     std::optional<std::uint64_t> size, Deadline deadline) {
    const DiskInfo below = co_await disk_info(base, deadline, true);
    if (size && *size < below.virtual_size)
        throw Error(Errc::spec_invalid, fmt::format("disk_size of {} bytes is smaller than the {} bytes of {}; a disk only grows",
                                                    *size, below.virtual_size, base));
    PartialFile partial(path);
    std::vector<std::string> words{"create", "-q", "-f", "qcow2", "-F", base_format, "-b", base, partial.path()};
    if (size) words.push_back(std::to_string(*size));
    co_await run_qemu_img(std::move(words), deadline);
    partial.finish();
}

asio::awaitable<void> convert_image(std::string from, std::string from_format, std::string path, std::string format,
                                    std::vector<std::string> more_options, Deadline deadline) {
    PartialFile partial(path);
    std::vector<std::string> words{"convert", "-f", from_format, "-O", format};
    words.insert(words.end(), more_options.begin(), more_options.end());
    words.push_back(from);
    words.push_back(partial.path());
    co_await run_qemu_img(std::move(words), deadline);
    partial.finish();
}

}  // namespace ov
