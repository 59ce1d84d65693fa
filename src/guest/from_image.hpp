// `deploy from-image`: the labels of an image become a running pod that comes back after a reboot (`image-transfer.md` 3).
#pragma once

#include <iosfwd>
#include <string>

#include "image/pod_labels.hpp"

namespace ov::guest {

/// Idempotent: a pod whose unit and image are the same is left running, one that changed is restarted. With `dry_run` only the
/// files are printed. One that another deploy owns is not taken from it. Throws Error naming image, label, variable or unit.
void deploy_from_image(PodOptions options, bool dry_run, std::ostream& out);

}  // namespace ov::guest
