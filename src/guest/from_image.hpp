// `deploy from-image`: the labels of an image become a running pod that comes back after a reboot (`image-transfer.md` 3).
#pragma once

#include <iosfwd>
#include <string>

#include "image/pod_labels.hpp"

namespace ov::guest {

/// Idempotent: a pod whose unit and image are the same is left running, one that changed is restarted. With `dry_run` only the
/// files are printed. Throws Error naming image, label, variable or unit.
void deploy_from_image(PodOptions options, bool dry_run, std::ostream& out);

/// NAME or NAME/INSTANCE of each pod, sorted; of one owner when that is not empty.
void list_pods(const std::string& owner, std::ostream& out);

/// Stops the pod and removes its unit; volumes and images stay.
void delete_pod(const std::string& name, const std::string& instance, std::ostream& out);

}  // namespace ov::guest
