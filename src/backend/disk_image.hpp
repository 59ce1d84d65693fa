// Disk images through qemu-img: argv, no shell, byte counts, explicit formats.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/deadline.hpp"

namespace ov {

struct DiskInfo {
    std::string format;
    std::uint64_t virtual_size = 0;      ///< bytes that the guest sees
    std::uint64_t actual_size = 0;       ///< bytes on the host
    std::string backing_file;            ///< absolute; empty: none
    std::vector<std::string> snapshots;  ///< internal ones
};

/// Throws Error{busy} when a running machine holds the image (unless `shared`), Error{io} with qemu-img's words otherwise.
asio::awaitable<DiskInfo> disk_info(std::string path, Deadline deadline, bool shared = false);
/// The output of `qemu-img info --output=json`. For tests.
DiskInfo parse_disk_info(std::string_view json, const std::string& path);

/// A qcow2 file whose unwritten parts are the base's. Written beside `path` and renamed, so there is never half an image.
/// `size` in bytes; unset: the base's. Throws Error{spec_invalid} when `size` is smaller than the base, naming both.
asio::awaitable<void> create_overlay(std::string base, std::string base_format, std::string path,
                                     std::optional<std::uint64_t> size, Deadline deadline);

/// A copy without backing file, in `format`. Written beside `path` and renamed.
asio::awaitable<void> convert_image(std::string from, std::string from_format, std::string path, std::string format,
                                    std::vector<std::string> more_options, Deadline deadline);

/// Runs qemu-img with these words. Throws Error{not_found} naming the package when there is none, Error{busy} for a locked
/// image, Error{io} naming the command and what it said.
asio::awaitable<std::string> run_qemu_img(std::vector<std::string> words, Deadline deadline);

}  // namespace ov
