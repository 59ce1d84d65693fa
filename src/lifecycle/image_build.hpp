// `ov image build`: an image of the project - a base and layers, compiled as for a deploy - made by `podman build` on this host.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "deploy/builders.hpp"
#include "lifecycle/load_layers.hpp"
#include "ov/events.hpp"
#include "ov/project.hpp"
#include "plan/containerfile.hpp"

namespace ov {

/// What building takes; shared by all builds of a run.
struct ImageWorkshop {
    Runtime& runtime;
    std::shared_ptr<const Project> project;
    std::shared_ptr<Builders> builders;
    std::string scratch;    ///< directory for build contexts; each is removed when its build ends
    bool console = false;   ///< podman's own output goes to stderr
    bool no_cache = false;  ///< every step runs again
};

struct BuiltImage {
    std::string ref;     ///< name in this host's podman storage
    bool built = false;  ///< false: a reference that was there, or was pulled
};

/// `image`: an `image:` entry of the project, a directory or file with a Containerfile, or a reference. Throws Error{not_found}
/// naming it and what there is, Error{spec_invalid} for a wrong entry, Error{step_failed} with podman's last lines.
asio::awaitable<BuiltImage> build_image(ImageWorkshop workshop, std::string image, Deadline deadline, EmitEvent events);

/// The context that would be built, for `--dry-run`. podman is asked only for the distribution of a base that no entry names.
asio::awaitable<BuildContext> plan_image(ImageWorkshop workshop, std::string image, Deadline deadline);

/// Makes the project know an image, the images below it and their layers, from wherever they come.
void fetch_image_layers(Project& project, const std::string& image, const RemoteAccess& access);

}  // namespace ov
