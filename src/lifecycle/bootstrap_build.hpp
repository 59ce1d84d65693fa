// Disks of distributions that are installed from nothing: `source.kind: bootstrap` (`vm-lifecycle.md` 4.4). The project's builder
// makes a root file system in a privileged container, a second run makes a disk of it that boots through UEFI.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "lifecycle/image_cache.hpp"
#include "lifecycle/vm_context.hpp"

namespace ov {

/// The scripts of a bootstrap VM, from the project's `builder:` and `distro:`. Throws Error{spec_invalid} or {not_found} naming
/// what the project lacks. Pure.
struct BootstrapScripts {
    std::string probe;                 ///< prints a line for everything that the host or the image lacks
    std::string rootfs;                ///< makes /out/rootfs.tar.gz
    std::string disk;                  ///< makes /out/disk.qcow2 of /in/rootfs.tar.gz
    std::vector<std::string> volumes;  ///< of the builder's caches, "name:/path"
};
BootstrapScripts bootstrap_scripts(const Project& project, const VmSpec& spec);

/// Partitions a raw disk, unpacks /in/rootfs.tar.gz, runs `body` in it, converts to qcow2. Error{spec_invalid} for a rootfs
/// that is none of ext4, xfs, btrfs. Pure.
std::string bootstrap_disk_script(std::uint64_t disk_bytes, const std::string& rootfs, const std::string& body);

struct BootstrapRun {
    std::string workplace;  ///< directory of its own; removed at the end
    bool console = false;   ///< the containers' own output, as it comes
    bool fresh = false;     ///< also where the same scripts made a disk before
};

/// Builds the disk and puts it into the cache; the same scripts with the same image give the disk that is there. An image of the
/// project is built first. Throws what `bootstrap_scripts` throws, Error{unsupported} with every part that this host or the
/// builder's image lacks, Error{step_failed} with the last lines of a container that failed.
asio::awaitable<BaseImage> build_bootstrap(VmContext& context, VmSpec spec, BootstrapRun run, Deadline deadline);

}  // namespace ov
