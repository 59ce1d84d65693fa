// Disks that are built in a privileged container: bootc images and bootstrapped distributions (`vm-lifecycle.md` 4.3, 4.4).
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/image_cache.hpp"
#include "lifecycle/vm_context.hpp"

namespace ov {

/// What the disk script of a bootc image is told. Pure.
struct BootcDisk {
    std::uint64_t disk_bytes = 0;
    std::string rootfs = "ext4";
    std::optional<std::uint64_t> root_bytes;
    std::string kernel_args;  ///< words, each one --karg
};
std::string bootc_script(const BootcDisk& disk);

/// Partitions a raw disk, unpacks /in/rootfs.tar.gz, runs `body` in it, converts to qcow2. Error{spec_invalid} for a rootfs
/// that is none of ext4, xfs, btrfs. Pure.
std::string bootstrap_disk_script(std::uint64_t disk_bytes, const std::string& rootfs, const std::string& body);

/// `podman run` of the image with the script on its input; `sudo -n` in front where containers of the operator cannot be
/// privileged. `staging` is /out in it, `input` (may be empty) /in.
std::vector<std::string> container_argv(const std::string& image, const std::string& staging, const std::string& input,
                                        bool root);

/// The newest of the lines "repository:tag" whose repository ends in `name` and whose tag is a date version (2026.144.1443);
/// empty: none.
std::string newest_dated(std::string_view lines, std::string_view name);

/// Builds the disk of a bootc image and puts it into the cache. Throws Error{not_found} for an unknown image and for a host
/// without podman, Error{unsupported} where podman cannot run privileged containers, with what it said.
asio::awaitable<BaseImage> build_bootc(VmContext& context, VmSpec spec, std::string transport, bool console, Deadline deadline);

}  // namespace ov
