#include "deploy/tree_archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace ov {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t chunk_size = 256 * 1024;

using Writer = std::unique_ptr<archive, decltype(&archive_write_free)>;
using Entry = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

[[noreturn]] void fail(const std::string& what, archive* from) {
    const char* words = archive_error_string(from);
    throw Error(Errc::io, fmt::format("{}: {}", what, words != nullptr ? words : "unknown error"));
}

struct OpenFile {
    explicit OpenFile(const std::string& path) : descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (descriptor < 0) throw Error(Errc::io, fmt::format("{}: {}", path, std::strerror(errno)));
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() { ::close(descriptor); }
    int descriptor;
};

void add_content(archive* to, const std::string& path) {
    const OpenFile file(path);
    std::vector<char> chunk(chunk_size);
    for (;;) {
        const ssize_t count = ::read(file.descriptor, chunk.data(), chunk.size());
        if (count < 0) throw Error(Errc::io, fmt::format("{}: {}", path, std::strerror(errno)));
        if (count == 0) return;
        if (archive_write_data(to, chunk.data(), static_cast<std::size_t>(count)) < 0) fail(path, to);
    }
}

class ArchiveSource final : public ByteSource {
public:
    ArchiveSource(Runtime& runtime, std::string path)
        : runtime_(runtime), path_(std::move(path)), reader_(archive_read_new(), archive_read_free) {
        archive_read_support_filter_all(reader_.get());
        archive_read_support_format_raw(reader_.get());
        archive_entry* entry = nullptr;
        if (archive_read_open_filename(reader_.get(), path_.c_str(), chunk_size) != ARCHIVE_OK ||
            archive_read_next_header(reader_.get(), &entry) != ARCHIVE_OK)
            fail(path_, reader_.get());
    }

    asio::awaitable<std::string> next(Deadline deadline) override {
        auto read = [reader = reader_, path = path_] {
            std::string chunk(chunk_size, '\0');
            const la_ssize_t count = archive_read_data(reader.get(), chunk.data(), chunk.size());
            if (count < 0) fail(path, reader.get());
            chunk.resize(static_cast<std::size_t>(count));
            return chunk;
        };
        std::string chunk = co_await runtime_.pool.run(deadline, std::move(read));
        co_return chunk;
    }

private:
    Runtime& runtime_;
    std::string path_;
    std::shared_ptr<archive> reader_;  ///< a call that was abandoned still reads from it
};

}  // namespace

std::size_t write_tree_archive(const std::string& directory, const std::string& archive_path,
                               const std::function<bool(const std::string&)>& leave_out) {
    std::vector<std::string> names;
    std::error_code failure;
    fs::recursive_directory_iterator at(directory, failure);
    for (; !failure && at != fs::recursive_directory_iterator(); at.increment(failure)) {
        std::string name = at->path().lexically_relative(directory).string();
        if (leave_out(name)) {
            if (at->is_directory() && !at->is_symlink()) at.disable_recursion_pending();
            continue;
        }
        names.push_back(std::move(name));
    }
    if (failure) throw Error(Errc::io, fmt::format("{}: {}", directory, failure.message()));
    std::ranges::sort(names);
    const Writer writer(archive_write_new(), archive_write_free);
    archive_write_add_filter_zstd(writer.get());
    // Names are bytes. pax wants them in UTF-8 and asks the locale, which a program without one does not have.
    archive_write_set_format_gnutar(writer.get());
    if (archive_write_open_filename(writer.get(), archive_path.c_str()) != ARCHIVE_OK) fail(archive_path, writer.get());
    std::size_t files = 0;
    for (const std::string& name : names) {
        const std::string path = directory + "/" + name;
        struct stat info {};
        if (::lstat(path.c_str(), &info) != 0) throw Error(Errc::io, fmt::format("{}: {}", path, std::strerror(errno)));
        if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) continue;
        const Entry entry(archive_entry_new(), archive_entry_free);
        archive_entry_copy_stat(entry.get(), &info);
        archive_entry_set_uid(entry.get(), 0);
        archive_entry_set_gid(entry.get(), 0);
        archive_entry_set_nlink(entry.get(), 1);
        archive_entry_set_pathname(entry.get(), name.c_str());
        if (S_ISLNK(info.st_mode)) archive_entry_set_symlink(entry.get(), fs::read_symlink(path).c_str());
        if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK) fail(path, writer.get());
        if (S_ISREG(info.st_mode)) add_content(writer.get(), path);
        if (!S_ISDIR(info.st_mode)) ++files;
    }
    if (archive_write_close(writer.get()) != ARCHIVE_OK) fail(archive_path, writer.get());
    return files;
}

std::unique_ptr<ByteSource> tar_of_archive(Runtime& runtime, std::string archive_path) {
    return std::make_unique<ArchiveSource>(runtime, std::move(archive_path));
}

}  // namespace ov
