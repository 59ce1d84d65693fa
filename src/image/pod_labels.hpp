// What an image's labels and the machine together make of a pod (`image-transfer.md` 4 to 7). Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/quadlet.hpp"
#include "image/volume_seed.hpp"

namespace ov {

/// What was found in the machine (section 6).
struct PodDevices {
    std::vector<std::string> nodes;  ///< existing device nodes in the order of the rule
    std::string render_node;         ///< of a real GPU if there is one
    bool nvidia = false;             ///< usable through CDI
    bool amd = false;
    std::string amd_gfx_version;
};

struct PodOptions {
    std::string ref, name, instance;
    std::string bind = "127.0.0.1";  ///< address of ports that name none
    std::vector<std::string> env;    ///< -e KEY=VALUE
    std::vector<std::string> ports;  ///< -p [ADDRESS:]HOST:CONTAINER
    std::string owner{};             ///< deploy that asked for the pod; kept beside its unit
    /// Volumes of the image that are directories of the machine; empty: one below `volumes`.
    std::map<std::string, std::string> binds{};
    std::string home{}, volumes{};  ///< of the user: what `~/` means, and where directories of volumes are made
};

/// What the image says of a container without its labels: it counts where they name no home, and for `init` = image.
struct ImageDefaults {
    std::string working_dir;
    bool has_command = false;
};

struct PodPlan {
    PodUnit unit;
    struct WantedSecret {
        std::string podman_name, variable;
    };
    std::vector<WantedSecret> secrets;    ///< to be in podman before the unit starts
    std::vector<VolumeSeed> seeds;        ///< to be filled before the unit starts, where they are empty
    std::string post_enable, pre_remove;  ///< scripts of the image
};

/// Name of a deployment from its reference when none was given.
std::string default_pod_name(const std::string& ref);

/// The directory of the machine that is the volume. Pure.
std::string bind_directory(const PodOptions& options, const std::string& container, const std::string& volume);

/// Throws Error{spec_invalid} naming a malformed label, Error{unsupported} "no embedded metadata" without a version label,
/// Error{usage} for a bad name or port, Error{not_found} naming required variables that have no value.
PodPlan plan_pod(const std::map<std::string, std::string>& labels, const PodOptions& options, const PodDevices& devices,
                 const ImageDefaults& image = {});

}  // namespace ov
