// A published image, fetched into the cache: resumed, verified, tried again; nothing is fetched twice (`vm-lifecycle.md` 4.2,
// W8-W10).
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "async/backoff.hpp"
#include "async/runtime.hpp"
#include "backend/download.hpp"
#include "lifecycle/image_cache.hpp"

namespace ov {

struct FetchOptions {
    std::string url;
    std::string expected;  ///< SHA-256 that the author wrote, hex, or empty: from a sidecar
    DownloadLimits limits;
    int tries = 6;  ///< in a row without a byte of progress
    BackoffOptions backoff{std::chrono::milliseconds(500), 2.0, std::chrono::seconds(30)};
    std::function<void(const std::string&)> note;
    std::function<void(std::uint64_t bytes, std::uint64_t total)> progress;  ///< called on the loop
};

/// Digest of the image in the cache. The caller holds the URL's lock. Throws Error{spec_invalid} for a wrong checksum naming
/// both sums, Error{usage} for plain http without a checksum, Error{not_found}, Error{unreachable} naming URL and reason,
/// Error{io}. A cancelled download keeps its partial file.
asio::awaitable<std::string> fetch_image(Runtime& runtime, ImageCache cache, FetchOptions options, Deadline deadline);

/// The digest that a sidecar file gives for `base_name`: a line "<digest> <name>" with exactly that name ("*name" and "./name"
/// count), or a digest alone. Nothing when it holds none.
std::optional<std::string> digest_in_sidecar(std::string_view text, std::string_view base_name);

}  // namespace ov
