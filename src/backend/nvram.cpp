#include "backend/nvram.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "ov/error.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path) {
    throw Error(Errc::io, fmt::format("{}: {}", path, std::strerror(errno)));
}

class Descriptor {
public:
    Descriptor(const std::string& path, int flags, mode_t mode = 0)
        : path_(path), fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {
        if (fd_ < 0) fail(path);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }
    void sync_and_close() {
        if (fsync(fd_) != 0) fail(path_);
        const int closing = fd_;
        fd_ = -1;
        if (::close(closing) != 0) fail(path_);
    }

private:
    std::string path_;
    int fd_;
};

std::optional<std::uintmax_t> size_of(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) == 0) return static_cast<std::uintmax_t>(status.st_size);
    if (errno == ENOENT) return std::nullopt;
    fail(path);
}

void copy_whole(const std::string& from, const std::string& to) {
    const Descriptor in(from, O_RDONLY);
    Descriptor out(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fchmod(out.get(), 0600) != 0) fail(to);
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t got = read(in.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(from);
        if (got == 0) break;
        for (ssize_t done = 0; done < got;) {
            const ssize_t put = write(out.get(), buffer.data() + done, static_cast<std::size_t>(got - done));
            if (put < 0 && errno != EINTR) fail(to);
            if (put > 0) done += put;
        }
    }
    out.sync_and_close();
}

void check_existing(const NvramRequest& request, std::uintmax_t size) {
    const std::string remedy =
        fmt::format("it holds what the guest wrote; move it away (mv {0} {0}.old) to start with fresh variables", request.path);
    if (!request.remembered.empty() && request.remembered != request.vars)
        throw Error(Errc::spec_invalid, fmt::format("{} was made from {}, the firmware now is that of {}: {}", request.path,
                                                    request.remembered, request.vars, remedy));
    const auto wanted = size_of(request.vars);
    if (wanted && *wanted != size)
        throw Error(Errc::spec_invalid, fmt::format("{} has {} bytes, the firmware's template {} has {}: {}", request.path, size,
                                                    request.vars, *wanted, remedy));
}

}  // namespace

bool ensure_nvram(const NvramRequest& request) {
    if (const auto size = size_of(request.path)) {
        check_existing(request, *size);
        return false;
    }
    const fs::path directory = fs::path(request.path).parent_path();
    std::error_code failure;
    fs::create_directories(directory, failure);
    if (failure) throw Error(Errc::io, fmt::format("{}: {}", directory.string(), failure.message()));
    // Under the VM's lock nobody else writes this name; what a crash left of it is overwritten.
    const std::string temporary = request.path + ".new";
    try {
        copy_whole(request.vars, temporary);
        if (rename(temporary.c_str(), request.path.c_str()) != 0) fail(request.path);
    } catch (const Error&) {
        unlink(temporary.c_str());
        throw;
    }
    Descriptor(directory.string(), O_RDONLY | O_DIRECTORY).sync_and_close();
    return true;
}

}  // namespace ov
