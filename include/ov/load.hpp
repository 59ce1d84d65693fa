// Loading: a project directory and the host's deploy.yml become one `Project` value. Reads files, nothing else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/error.hpp"
#include "ov/project.hpp"

namespace ov {

struct LoadOptions {
    std::string directory;                   ///< where overthink.yml is; absolute or relative to the current directory
    std::optional<std::string> deploy_file;  ///< the host's deploy.yml; a missing file is an empty overlay
    /// Where remote imports are. Without it they are errors; with it, what is not in it is told in `Project::lacking`.
    const Checkouts* checkouts = nullptr;
};

/// Throws SpecError with every finding when a file is wrong, Error{not_found} naming the directory when there is no
/// project, Error{io} when a file cannot be read.
Project load_project(const LoadOptions& options);

/// The same without throwing SpecError: what could be read, and every finding by place. For the verbs that show findings.
Project inspect_project(const LoadOptions& options, std::vector<Diagnostic>& findings);

/// The host's deploy.yml alone, for the verbs that need no project.
DeployMap load_deploy_file(const std::string& path, std::vector<Diagnostic>& warnings);

/// One layer directory. `name` defaults to the directory's base name.
Layer load_layer(const std::string& directory, std::vector<Diagnostic>& warnings);

/// A layer reference that nothing answers to.
class LayerNotFound : public Error {
public:
    LayerNotFound(std::string ref, std::string required_by, const std::string& message)
        : Error(Errc::not_found, message), ref_(std::move(ref)), required_by_(std::move(required_by)) {}
    const std::string& ref() const noexcept { return ref_; }
    /// The layer whose `require` or `layer` names it; empty when it was asked for directly.
    const std::string& required_by() const noexcept { return required_by_; }

private:
    std::string ref_, required_by_;
};

/// A reference that is a path: `./web`, `../web`, `/srv/layers/web`, or the path of a layer.yml.
bool is_directory_ref(std::string_view ref) noexcept;

/// Key of the layer that a command line or `add_layer` names: a name or remote reference as it is, a path (relative to
/// `base`) after reading its layer into the project.
std::string resolve_layer_ref(Project& project, const std::string& ref, const std::string& base);

/// Makes the image `name` and the layers it lists known to `project`. A name of the project itself is there already;
/// `alias.image` is looked up in the project mounted as `alias`, and its layers come in as `alias.layer`. Returns the
/// repositories that `checkouts` lacks for that: call again with them. Throws Error{not_found} naming the image.
std::vector<RepositoryAt> resolve_image(Project& project, const std::string& name, const Checkouts& checkouts);

/// Builder name -> image for machines of these distro tags: the project's defaults, overlaid by the builder map of the first
/// root image (by name) that lists the first matching tag (`layer-format.md` 9).
std::map<std::string, std::string> builder_images(const Project& project, const std::vector<std::string>& distro_tags);

/// Throws LayerNotFound, naming the nearest known layer.
const Layer& find_layer(const LayerMap& layers, std::string_view ref);
/// The same for references that may be paths, relative to the project's directory, which `resolve_layer_ref` has read.
const Layer& find_layer(const Project& project, std::string_view ref);

}  // namespace ov
