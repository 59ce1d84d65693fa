// Base images by content: `<sha256>.qcow2`, read-only, never changed or replaced, since disks stand on them; and index.json,
// which says what a URL was when it was last looked at.
//
// Beside them: `<sha256 of the URL>.part` while a download or copy is under way, `.lock` files one a URL.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "ov/error.hpp"
#include "state/state_file.hpp"

namespace ov {

struct BaseImage {
    std::string path, digest;  ///< SHA-256, hex
    std::string format;        ///< qcow2 or raw
    std::uint64_t virtual_size = 0;
};

/// What the index knows about a URL.
struct IndexedImage {
    std::string digest, etag, last_modified;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;  ///< of a local file
    std::uint64_t inode = 0;
    bool verified = false;  ///< the digest was compared with one that somebody published
    bool operator==(const IndexedImage&) const = default;
};

class ImageCache {
public:
    explicit ImageCache(std::string directory) : directory_(std::move(directory)) {}

    const std::string& directory() const noexcept { return directory_; }
    std::string image_path(const std::string& digest) const { return directory_ + "/" + digest + ".qcow2"; }
    std::string part_path(const std::string& url) const;
    std::string lock_path(const std::string& url) const;

    // All of them block.

    std::optional<IndexedImage> find(const std::string& url) const;
    void remember(const std::string& url, const IndexedImage& entry) const;
    bool has(const std::string& digest) const;

    /// Makes a finished `.part` an image of the cache: fsync, mode 0444, rename. A digest that is there already wins.
    void adopt(const std::string& part, const std::string& digest) const;

    using Stopped = std::function<bool()>;
    using Copied = std::function<void(std::uint64_t bytes, std::uint64_t total)>;
    /// A copy of a local file; unchanged since the last time (size, time, inode): no byte is read. `expected`: digest or empty.
    /// The caller holds the URL's lock. Throws Error{not_found}, Error{spec_invalid} for another digest naming both, Error{io},
    /// Error{cancelled}.
    std::string import_file(const std::string& url, const std::string& path, const std::string& expected, const Stopped& stopped,
                            const Copied& copied) const;

private:
    std::map<std::string, IndexedImage> read_index() const;

    std::string directory_;
};

/// The path of a file: URL, decoded; empty for other schemes.
std::string path_of_file_url(const std::string& url);

/// SHA-256 of a file. Blocks.
std::string digest_of_file(const std::string& path, const ImageCache::Stopped& stopped);

}  // namespace ov
