// One HTTP request of a resumable download, by libcurl. What to do about its end is the caller's (`lifecycle/fetch_image`).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace ov {

/// What identifies a version of a resource on its server.
struct Validator {
    std::string etag, last_modified;
    /// The value for If-Range: a strong ETag, else the date; empty: a rest cannot be asked for safely.
    std::string for_range() const;
    bool empty() const noexcept { return etag.empty() && last_modified.empty(); }
    bool operator==(const Validator&) const = default;
};

struct DownloadLimits {
    std::chrono::seconds connect{15};
    std::chrono::seconds stall{30};  ///< without a byte
    std::chrono::seconds whole{0};   ///< 0: none
};

struct DownloadRequest {
    std::string url;
    std::string part;  ///< the file that grows
    /// The version that `part` holds the beginning of; empty: from the start.
    Validator resume;
    /// Ask only for another version than this; empty: whatever is there.
    Validator known;
    DownloadLimits limits;
    std::function<bool()> stopped;
    std::function<void(std::uint64_t bytes, std::optional<std::uint64_t> total)> progress;
    /// Called once, before the first byte is written: what the server sends now.
    std::function<void(const Validator&, std::optional<std::uint64_t> total)> began;
};

struct DownloadEnd {
    enum class Kind {
        complete,      ///< `part` holds all that the server announced
        not_modified,  ///< the version is `known`
        not_there,     ///< 404, 410
        refused,       ///< another status that trying again does not change
        interrupted,   ///< trying again may help: connection, time-out, 5xx, too short
        range_gone,    ///< 416: `part` is not the beginning of what is there now
        cancelled,
        no_space,  ///< the file system cannot take it
    };
    Kind kind = Kind::interrupted;
    long status = 0;     ///< HTTP status; 0: none came
    std::string reason;  ///< for people
    Validator validator;
    std::optional<std::uint64_t> total;  ///< of the whole resource
    std::uint64_t had = 0, got = 0;      ///< bytes in `part` at the start and at the end
};

/// Blocks for as long as it takes; `stopped` is asked at least once a second. What was received stays in `part`.
DownloadEnd download(const DownloadRequest& request);

/// A small resource as text, or nothing unless it answers 200. Blocks at most 30 s.
std::optional<std::string> download_text(const std::string& url, std::size_t most, const std::function<bool()>& stopped);

}  // namespace ov
