// Container images of this host, sent into machines as deltas (`image-transfer.md`): only the layers that a machine lacks
// travel, one export feeds any number of machines, and nothing is written to a file on this host.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ov/deadline.hpp"
#include "ov/events.hpp"
#include "ov/executor.hpp"

namespace ov {

/// An image in the operator's podman storage.
struct HostImage {
    std::string ref;                         ///< what `podman save` is given, and the name in the machine
    std::string id;                          ///< config digest, 64 hex digits
    std::vector<std::string> layers;         ///< diffIDs, 64 hex digits, the lowest first
    std::vector<std::uint64_t> layer_sizes;  ///< bytes unpacked, one a layer; empty when podman does not say
    std::uint64_t size = 0;
};

/// A reference, or a short name as `image-transfer.md` 1.1 resolves it. Throws Error{not_found} naming the image and
/// `ov image build`, Error{usage} listing the candidates when several repositories could be meant.
asio::awaitable<HostImage> find_host_image(std::string name, Deadline deadline);

/// The raw docker-archive of one image, a new stream each call.
using ImageExport = std::function<std::unique_ptr<ByteSource>()>;

/// `podman save` as a stream. What it says when it fails becomes the Error{io} of `next`.
std::unique_ptr<ByteSource> podman_save(std::string ref, asio::any_io_executor executor);

/// An export as one machine sees it; the chunks are shared between all machines that it feeds.
class ImageStream {
public:
    virtual ~ImageStream() = default;
    /// Null at the end.
    virtual asio::awaitable<std::shared_ptr<const std::string>> next(Deadline deadline) = 0;
};
using OpenImage = std::function<std::unique_ptr<ImageStream>()>;

/// One export for `expected` machines (see image/shared_export.hpp); the first waits a moment for the others.
OpenImage share_export(asio::any_io_executor executor, ImageExport stream, int expected = 1);

struct CopyImageOptions {
    std::string as;         ///< further name in the machine; empty: only the image's own
    bool rootless = false;  ///< the login user's storage instead of root's
    bool dry_run = false;
    bool compress = true;  ///< zstd where the machine's podman takes it
};

struct CopyImageResult {
    bool sent = false;    ///< bytes travelled; false: it was there
    bool tagged = false;  ///< a name was set or moved
    int layers_sent = 0, layers_held = 0;
    std::uint64_t archive_bytes = 0;  ///< the whole archive
    std::uint64_t wire_bytes = 0;     ///< what was sent of it
    double seconds = 0;
    std::vector<std::string> notes;
};

/// Makes the machine's storage hold `image` under its names, mountable and with the same ID. An image under the name with
/// another ID is replaced; a torn one is removed and sent whole, once. Throws Error naming the side and the reference; a cut
/// stream leaves the storage as it was. Cancellation ends the transfer and the machine's spool file is removed.
asio::awaitable<CopyImageResult> copy_image(Executor& machine, HostImage image, OpenImage open, CopyImageOptions options,
                                            Deadline deadline, EmitEvent events);

}  // namespace ov
