#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ov/executor.hpp"

namespace ov {

namespace {

constexpr std::size_t chunk_size = 256 * 1024;

class StringSource final : public ByteSource {
public:
    explicit StringSource(std::string content) : content_(std::move(content)) {}
    asio::awaitable<std::string> next(Deadline) override {
        std::string chunk = content_.substr(taken_, chunk_size);
        taken_ += chunk.size();
        co_return chunk;
    }
    std::optional<std::uint64_t> length() const override { return content_.size(); }

private:
    std::string content_;
    std::size_t taken_ = 0;
};

/// Reads a quarter of a MiB at a time from the page cache or a local disk: shorter than a trip through the pool.
class FileSource final : public ByteSource {
public:
    explicit FileSource(std::string path) : path_(std::move(path)), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (file_ < 0) fail();
    }
    ~FileSource() override { ::close(file_); }
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;

    asio::awaitable<std::string> next(Deadline) override {
        std::string chunk(chunk_size, '\0');
        const ssize_t count = ::read(file_, chunk.data(), chunk.size());
        if (count < 0) fail();
        chunk.resize(static_cast<std::size_t>(count));
        co_return chunk;
    }
    std::optional<std::uint64_t> length() const override {
        struct stat facts {};
        if (::fstat(file_, &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
        return static_cast<std::uint64_t>(facts.st_size);
    }

private:
    [[noreturn]] void fail() const {
        throw Error(errno == ENOENT ? Errc::not_found : Errc::io, fmt::format("{}: {}", path_, std::strerror(errno)));
    }
    std::string path_;
    int file_;
};

}  // namespace

std::unique_ptr<ByteSource> bytes_of(std::string content) {
    return std::make_unique<StringSource>(std::move(content));
}
std::unique_ptr<ByteSource> bytes_of_file(std::string path) {
    return std::make_unique<FileSource>(std::move(path));
}

}  // namespace ov
