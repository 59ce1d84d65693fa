#include "lifecycle/image_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/sha256.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t chunk_size = std::size_t{1} << 20U;

[[noreturn]] void fail(const std::string& path) {
    throw Error(Errc::io, fmt::format("{}: {}", path, std::strerror(errno)));
}

class File {
public:
    File(const std::string& path, int flags) : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
        if (fd_ < 0) fail(path);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { ::close(fd_); }
    int get() const noexcept { return fd_; }
    std::size_t read(char* into, std::size_t size) const {
        for (;;) {
            const ssize_t got = ::read(fd_, into, size);
            if (got >= 0) return static_cast<std::size_t>(got);
            if (errno != EINTR) fail(path_);
        }
    }
    void write(const char* bytes, std::size_t size) const {
        while (size > 0) {
            const ssize_t put = ::write(fd_, bytes, size);
            if (put < 0 && errno != EINTR) fail(path_);
            if (put <= 0) continue;
            bytes += put;
            size -= static_cast<std::size_t>(put);
        }
    }
    void skip(std::size_t size) const {
        if (::lseek(fd_, static_cast<off_t>(size), SEEK_CUR) < 0) fail(path_);
    }

private:
    std::string path_;
    int fd_;
};

void check(const ImageCache::Stopped& stopped, const std::string& path) {
    if (stopped && stopped()) throw Error(Errc::cancelled, path + ": reading it was cancelled");
}

/// Bytes with holes where the source has zeros. Returns the digest.
std::string copy_sparse(const std::string& from, const std::string& to, std::uint64_t total, const ImageCache::Stopped& stopped,
                        const ImageCache::Copied& copied) {
    const File in(from, O_RDONLY), out(to, O_WRONLY | O_CREAT | O_TRUNC);
    Sha256 sum;
    std::string chunk(chunk_size, '\0');
    std::uint64_t done = 0;
    for (;;) {
        check(stopped, from);
        const std::size_t got = in.read(chunk.data(), chunk.size());
        if (got == 0) break;
        sum.update({chunk.data(), got});
        const bool zeros =
            std::all_of(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(got), [](char c) { return c == 0; });
        zeros ? out.skip(got) : out.write(chunk.data(), got);
        done += got;
        if (copied) copied(done, std::max(total, done));
    }
    if (::ftruncate(out.get(), static_cast<off_t>(done)) != 0) fail(to);
    return sum.hex();
}

}  // namespace

std::string path_of_file_url(const std::string& url) {
    constexpr std::string_view scheme = "file://";
    if (!url.starts_with(scheme)) return {};
    std::string_view rest = std::string_view(url).substr(scheme.size());
    if (rest.starts_with("localhost/")) rest.remove_prefix(9);
    std::string path;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        const auto digit = [&](std::size_t at) {
            const char c = at < rest.size() ? rest[at] : '\0';
            return c >= '0' && c <= '9'   ? c - '0'
                   : c >= 'a' && c <= 'f' ? c - 'a' + 10
                   : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                          : -1;
        };
        if (rest[i] == '%' && digit(i + 1) >= 0 && digit(i + 2) >= 0) {
            path += static_cast<char>(digit(i + 1) * 16 + digit(i + 2));
            i += 2;
        } else {
            path += rest[i];
        }
    }
    return path;
}

std::string digest_of_file(const std::string& path, const ImageCache::Stopped& stopped) {
    const File in(path, O_RDONLY);
    Sha256 sum;
    std::string chunk(chunk_size, '\0');
    for (;;) {
        check(stopped, path);
        const std::size_t got = in.read(chunk.data(), chunk.size());
        if (got == 0) return sum.hex();
        sum.update({chunk.data(), got});
    }
}

std::string ImageCache::part_path(const std::string& url) const {
    return directory_ + "/" + sha256_hex(url) + ".part";
}

std::string ImageCache::lock_path(const std::string& url) const {
    return directory_ + "/." + sha256_hex(url) + ".lock";
}

std::map<std::string, IndexedImage> ImageCache::read_index() const {
    std::map<std::string, IndexedImage> index;
    const auto text = state::read_file(directory_ + "/index.json");
    // A cache: what cannot be read is looked up again.
    const Json value = Json::parse(text.value_or("{}"), nullptr, false);
    if (!value.is_object() || !value.contains("images") || !value["images"].is_object()) return index;
    for (const auto& [url, entry] : value["images"].items()) {
        if (!entry.is_object()) continue;
        IndexedImage& image = index[url];
        image.digest = entry.value("sha256", "");
        image.etag = entry.value("etag", "");
        image.last_modified = entry.value("last_modified", "");
        image.size = entry.value("size", std::uint64_t{0});
        image.modified_ns = entry.value("modified_ns", std::int64_t{0});
        image.inode = entry.value("inode", std::uint64_t{0});
        image.verified = entry.value("verified", false);
    }
    return index;
}

std::optional<IndexedImage> ImageCache::find(const std::string& url) const {
    const auto index = read_index();
    const auto found = index.find(url);
    if (found == index.end() || found->second.digest.size() != 64) return std::nullopt;
    return found->second;
}

void ImageCache::remember(const std::string& url, const IndexedImage& entry) const {
    const auto lock = state::FileLock::acquire(directory_ + "/.index.lock");
    auto index = read_index();
    index[url] = entry;
    Json images = Json::object();
    for (const auto& [known, image] : index) {
        Json& out = images[known];
        out["sha256"] = image.digest;
        out["size"] = image.size;
        out["verified"] = image.verified;
        if (!image.etag.empty()) out["etag"] = image.etag;
        if (!image.last_modified.empty()) out["last_modified"] = image.last_modified;
        if (image.modified_ns != 0) out["modified_ns"] = image.modified_ns;
        if (image.inode != 0) out["inode"] = image.inode;
    }
    Json index_file = Json::object();
    index_file["schema"] = 1;
    index_file["images"] = std::move(images);
    state::write_file(directory_ + "/index.json", index_file.dump(2) + "\n", 0644);
}

bool ImageCache::has(const std::string& digest) const {
    std::error_code ignored;
    return digest.size() == 64 && fs::is_regular_file(image_path(digest), ignored);
}

void ImageCache::adopt(const std::string& part, const std::string& digest) const {
    if (has(digest)) {
        if (::unlink(part.c_str()) != 0 && errno != ENOENT) fail(part);
        return;
    }
    {
        const File file(part, O_RDONLY);
        if (::fsync(file.get()) != 0) fail(part);
        if (::fchmod(file.get(), 0444) != 0) fail(part);
    }
    const std::string target = image_path(digest);
    if (::rename(part.c_str(), target.c_str()) != 0) fail(target);
    const File directory(directory_, O_RDONLY | O_DIRECTORY);
    if (::fsync(directory.get()) != 0) fail(directory_);
}

std::string ImageCache::import_file(const std::string& url, const std::string& path, const std::string& expected,
                                    const Stopped& stopped, const Copied& copied) const {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        throw Error(Errc::not_found, fmt::format("source.url {}: {}", url, std::strerror(errno)));
    if (!S_ISREG(status.st_mode)) throw Error(Errc::not_found, fmt::format("source.url {}: not a file", url));
    IndexedImage now;
    now.size = static_cast<std::uint64_t>(status.st_size);
    now.modified_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
    now.inode = status.st_ino;
    const auto mismatch = [&](const std::string& digest) {
        throw Error(Errc::spec_invalid, fmt::format("{}: its SHA-256 is {}, source.checksum says {}", path, digest, expected));
    };
    if (const auto known = find(url); known && has(known->digest) && known->size == now.size &&
                                      known->modified_ns == now.modified_ns && known->inode == now.inode) {
        if (!expected.empty() && known->digest != expected) mismatch(known->digest);
        return known->digest;
    }
    const std::string part = part_path(url);
    try {
        now.digest = copy_sparse(path, part, now.size, stopped, copied);
        if (!expected.empty() && now.digest != expected) mismatch(now.digest);
        now.verified = !expected.empty();
        adopt(part, now.digest);
    } catch (...) {
        ::unlink(part.c_str());  // a local copy is quickly made again
        throw;
    }
    remember(url, now);
    return now.digest;
}

}  // namespace ov
