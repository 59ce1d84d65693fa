// Which devices of this machine a pod gets (`image-transfer.md` 6).
#pragma once

#include <string>

#include "image/pod_labels.hpp"

namespace ov::guest {

/// `root` stands before /dev, /sys and /etc, for tests. `nvidia_works`: nvidia-smi ended well.
PodDevices find_devices(const std::string& root, bool nvidia_works);

}  // namespace ov::guest
