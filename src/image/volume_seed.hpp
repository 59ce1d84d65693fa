// Volumes that begin with data of the image (`data` label): which, and how podman's storage fills an empty one. Pure.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ov {

struct VolumeSeed {
    std::string volume;                                      ///< podman's name
    std::string owner;                                       ///< "uid:gid" as the container sees them
    std::vector<std::pair<std::string, std::string>> parts;  ///< path in the image, path below the volume's root
};

/// Volumes of the container `ov-...` that the image has data for, in the order of the label. Throws Error{spec_invalid} naming
/// the label when an entry is not whole or leaves its volume.
std::vector<VolumeSeed> volume_seeds(const std::map<std::string, std::string>& labels, const std::string& container);

/// The program that fills the volume, unless there is something in it: what people wrote is theirs. One that was cut short is
/// filled again. Prints "seeded" when it did. `rootless`: run inside the user namespace that the containers see.
std::vector<std::string> seed_words(const VolumeSeed& seed, const std::string& image, bool rootless);

}  // namespace ov
