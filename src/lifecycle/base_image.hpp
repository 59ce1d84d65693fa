// From `source.url` of a cloud image to the read-only base that disks stand on.
#pragma once

#include <asio/awaitable.hpp>

#include "lifecycle/image_cache.hpp"
#include "lifecycle/vm_context.hpp"

namespace ov {

/// Downloads or copies what is not cached; `source.cache` names another cache. Throws Error{unsupported} for an image that has a
/// backing file of its own (it would make the host read files that the image's author chose), and what the cache throws.
asio::awaitable<BaseImage> fetch_base(VmContext& context, VmSpec spec, Deadline deadline);

/// Format and size of a cached image.
asio::awaitable<BaseImage> inspect_base(std::string path, std::string digest, Deadline deadline);

}  // namespace ov
