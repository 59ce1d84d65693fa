// Disks that are built in a privileged container: what all of them take, and those of bootc images (`vm-lifecycle.md` 4.3).
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/process.hpp"
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

/// `podman run` of the image with the script on its input; `sudo -n` in front where containers of the operator cannot be
/// privileged. `staging` is /out in it, `input` (may be empty) /in.
std::vector<std::string> container_argv(const std::string& image, const std::string& staging, const std::string& input,
                                        bool root);

/// The newest of the lines "repository:tag" whose repository ends in `name` and whose tag is a date version (2026.144.1443);
/// empty: none.
std::string newest_dated(std::string_view lines, std::string_view name);

/// Runs `argv`, which begins with podman or sudo, with `input`; with `console` its standard error goes to ours. Any exit status
/// is an answer. Error{not_found} where it is not installed.
asio::awaitable<ProcessOutput> run_podman(std::vector<std::string> argv, std::string input, bool console, Deadline deadline);

/// The same for the words of `container_argv`. When it is cancelled or out of time the container is removed, which `podman run`
/// alone leaves behind.
asio::awaitable<ProcessOutput> run_container(std::vector<std::string> argv, std::string script, bool console, Deadline deadline);

/// A full reference stays; a bare name is the newest local build of it, never :latest. Error{not_found} naming how to build it.
asio::awaitable<std::string> local_image(std::string image, std::string transport, bool root, Deadline deadline);

/// Makes the finished disk at `made` an image of the cache.
asio::awaitable<BaseImage> adopt_disk(VmContext& context, std::string made, Deadline deadline);

/// Builds the disk of a bootc image and puts it into the cache. Throws Error{not_found} for an unknown image and for a host
/// without podman, Error{unsupported} where podman cannot run privileged containers, with what it said.
asio::awaitable<BaseImage> build_bootc(VmContext& context, VmSpec spec, std::string transport, bool console, Deadline deadline);

}  // namespace ov
