#include "state/state_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "ov/error.hpp"

namespace ov::state {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, std::string_view action) {
    const int code = errno;
    throw Error(Errc::io, fmt::format("{}: {}: {}", path, action, std::strerror(code)));
}

/// A descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int value) noexcept : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const noexcept { return value_; }
    int release() noexcept { return std::exchange(value_, -1); }

private:
    int value_;
};

void write_all(int descriptor, std::string_view content, const std::string& path) {
    while (!content.empty()) {
        const ssize_t n = ::write(descriptor, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail(path, "write");
        content.remove_prefix(static_cast<std::size_t>(n));
    }
}

void sync_directory(const fs::path& directory) {
    const std::string name = directory.empty() ? "." : directory.string();
    const Descriptor opened(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.get() < 0) fail(name, "open");
    // Some file systems cannot sync a directory; there the rename is as durable as it gets.
    if (::fsync(opened.get()) != 0 && errno != EINVAL) fail(name, "fsync");
}

/// Follows symbolic links, also to a target that does not exist yet.
fs::path link_target(const std::string& path) {
    fs::path current = path;
    for (int hops = 0; hops < 40; ++hops) {
        std::error_code failure;
        if (!fs::is_symlink(current, failure)) return current;
        const fs::path next = fs::read_symlink(current, failure);
        if (failure) break;
        current = next.is_absolute() ? next : current.parent_path() / next;
    }
    throw Error(Errc::io, path + ": too many symbolic links");
}

void make_parents(const fs::path& path) {
    std::error_code failure;
    if (!path.parent_path().empty()) fs::create_directories(path.parent_path(), failure);
    if (failure) throw Error(Errc::io, fmt::format("{}: {}", path.parent_path().string(), failure.message()));
}

std::string holder_of(int descriptor) {
    char text[32] = {};
    const ssize_t n = ::pread(descriptor, text, sizeof text - 1, 0);
    const std::string pid(text, n > 0 ? std::strcspn(text, "\n") : 0);
    const bool known = !pid.empty() && pid.find_first_not_of("0123456789") == std::string::npos;
    return known ? " by process " + pid : std::string();
}

}  // namespace

FileLock FileLock::acquire(const std::string& path, std::chrono::milliseconds wait, const std::function<bool()>& cancelled) {
    make_parents(path);
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (file.get() < 0) fail(path, "open");
    const auto end = std::chrono::steady_clock::now() + wait;
    auto pause = std::chrono::milliseconds(2);
    while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) fail(path, "lock");
        if (cancelled && cancelled()) throw Error(Errc::cancelled, path + ": waiting for the lock was cancelled");
        if (std::chrono::steady_clock::now() >= end)
            throw Error(Errc::busy, fmt::format("{}: locked{} for more than {} s", path, holder_of(file.get()),
                                                std::chrono::duration_cast<std::chrono::seconds>(wait).count()));
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds(100));
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    // For messages only: a full disk must not keep anybody from the lock.
    if (::ftruncate(file.get(), 0) == 0) [[maybe_unused]]
        const ssize_t ignored = ::pwrite(file.get(), pid.data(), pid.size(), 0);
    return FileLock(file.release());
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

FileLock::~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<std::string> read_file(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) {
        if (errno == ENOENT) return std::nullopt;
        fail(path, "open");
    }
    std::string content;
    char chunk[1 << 16];
    for (;;) {
        const ssize_t n = ::read(file.get(), chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail(path, "read");
        if (n == 0) return content;
        content.append(chunk, static_cast<std::size_t>(n));
    }
}

void write_file(const std::string& path, std::string_view content, unsigned mode) {
    const fs::path target = link_target(path);
    make_parents(target);
    std::string temporary = (target.parent_path() / ("." + target.filename().string() + ".tmp.XXXXXX")).string();
    const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (file.get() < 0) fail(temporary, "create");
    try {
        if (::fchmod(file.get(), mode) != 0) fail(temporary, "chmod");
        write_all(file.get(), content, temporary);
        if (::fsync(file.get()) != 0) fail(temporary, "fsync");
        if (::rename(temporary.c_str(), target.c_str()) != 0) fail(target.string(), "rename");
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    sync_directory(target.parent_path());
}

void remove_stale_temporaries(const std::string& directory, std::string_view name) {
    const std::string prefix = "." + std::string(name);
    std::error_code failure;
    for (fs::directory_iterator entry(directory, failure), end; !failure && entry != end; entry.increment(failure)) {
        const std::string file = entry->path().filename().string();
        const std::size_t suffix = file.rfind(".tmp.");
        // mkostemp's six characters
        if (suffix == std::string::npos || file.size() != suffix + 11 || !file.starts_with(prefix)) continue;
        if (name.empty() || suffix == prefix.size()) ::unlink(entry->path().c_str());
    }
}

void remove_file(const std::string& path) {
    const fs::path target = link_target(path);
    if (::unlink(target.c_str()) != 0) {
        if (errno == ENOENT) return;
        fail(target.string(), "remove");
    }
    sync_directory(target.parent_path());
}

}  // namespace ov::state
