// The NoCloud seed: an ISO 9660 image with Rock Ridge and Joliet, labelled cidata, written by libarchive (`cloud-init.md` 11).
#pragma once

#include <string>

#include "ov/render.hpp"

namespace ov {

/// Bytes of the image. Throws Error{usage} when user-data is empty.
std::string seed_image(const CloudInitFiles& files);

/// Writes the image beside `path` (mode 0600), fsyncs and renames. Nothing stays of a failed attempt. Blocks.
void write_seed_image(const CloudInitFiles& files, const std::string& path);

/// "sha256:<hex>" of the user-data, as `vm_state.cloud_init_rendered_digest` keeps it.
std::string user_data_digest(const CloudInitFiles& files);

}  // namespace ov
