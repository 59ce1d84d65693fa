// Asks a machine what its podman storage holds, and does there what a transfer needs. Every call names the storage: an image
// in root's is not in the user's.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ov/executor.hpp"

namespace ov {

struct StoredImage {
    std::string id;
    std::vector<std::string> names, layers;
};

struct StorageSpace {
    std::string spool, graph;  ///< directories
    std::uint64_t spool_free = 0, graph_free = 0;
    bool same_filesystem = false;
    bool known = false;
};

struct Settled {
    std::optional<std::string> torn;  ///< what mounting the image says; nothing when it is whole
    bool tagged = false;              ///< a name was set or moved
};

struct Loaded {
    std::optional<std::string> refused;  ///< podman's words
    std::vector<std::string> names;      ///< what it named the image
};

/// Whether podman's words for a mount that failed say that a part of the image is not there. A machine that lacks space, memory
/// or a right cannot mount an intact image either, and removing that would stop what runs of it.
bool names_missing_layer(std::string words);

class GuestStorage {
public:
    GuestStorage(Executor& machine, bool rootless) : machine_(&machine), as_(rootless ? RunAs::user : RunAs::root) {}

    /// Throws Error{unsupported} naming the machine when it has no podman.
    /// The space is only looked at while the image `wanted` (its ID) is not there, or when none is named.
    asio::awaitable<void> look(std::string wanted, Deadline deadline);
    const std::vector<StoredImage>& images() const noexcept { return images_; }
    const StoredImage* named(std::string_view name) const;
    const StoredImage* with_id(std::string_view id) const;
    /// diffIDs of all images.
    std::set<std::string, std::less<>> layers() const;
    bool takes_zstd() const noexcept { return major_ >= 3; }

    /// Of the last look.
    const StorageSpace& space() const noexcept { return space_; }
    /// Mounts the image, which is known by its ID, and gives it the names. Throws Error{step_failed} when it cannot be mounted
    /// for another reason than a layer that is missing.
    asio::awaitable<Settled> settle(std::string id, std::vector<std::string> names, Deadline deadline);
    asio::awaitable<void> remove(std::string id, Deadline deadline);
    /// `podman load` of `archive`.
    asio::awaitable<Loaded> load(std::unique_ptr<ByteSource> archive, Deadline deadline);

    /// "root's storage" or "the user's storage".
    const char* whose() const noexcept { return as_ == RunAs::root ? "root's storage" : "the user's storage"; }

private:
    asio::awaitable<CommandResult> run(std::string script, std::string label, Deadline deadline);
    Executor* machine_;
    RunAs as_;
    int major_ = 0;
    std::vector<StoredImage> images_;
    StorageSpace space_;
};

}  // namespace ov
