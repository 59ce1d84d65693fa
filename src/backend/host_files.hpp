// What the host's own files say: CPU, id ranges, distribution, UEFI images. Everything below one root, so that tests bring
// trees of their own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/host_facts.hpp"

namespace ov {

/// Text behind the ":" of the first `vendor_id` line of /proc/cpuinfo.
std::string cpu_vendor_of(std::string_view cpuinfo);
/// Whether the flags name vmx or svm.
bool has_virtualisation(std::string_view cpuinfo);

/// The first good line `who:start:count` of /etc/subuid or /etc/subgid for a user, by name or by *user* id in both files.
/// Start at least 1, all within 32 bits; `\r` at the end is no matter.
std::optional<SubIdRange> sub_ids_of(std::string_view text, std::string_view user, long long uid);

/// ID and ID_LIKE of /etc/os-release, in that order.
std::vector<std::string> distro_ids_of(std::string_view os_release);

/// UEFI images for an architecture: those of the firmware descriptors in file order (a file in /etc hides its namesake in
/// /usr/share), then those of the table of known paths that exist and are not listed yet.
std::vector<FirmwareImage> firmware_images(const std::string& root, std::string_view arch);

/// The first of `candidates` (absolute paths) that exists below `root`, else empty.
std::string first_existing(const std::string& root, const std::vector<std::string>& candidates);

/// Whole file below `root`, empty when it cannot be read.
std::string host_file(const std::string& root, const std::string& path);

}  // namespace ov
