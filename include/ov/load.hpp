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

/// Key of the layer that a command line or `add_layer` names: a name or remote reference as it is, a directory (`./web`,
/// `/srv/layers/web`, a path to a layer.yml) after reading it into the project.
std::string resolve_layer_ref(Project& project, const std::string& ref);

/// Builder name -> image for machines of these distro tags: the project's defaults, overlaid by the builder map of the first
/// root image (by name) that lists the first matching tag (`layer-format.md` 9).
std::map<std::string, std::string> builder_images(const Project& project, const std::vector<std::string>& distro_tags);

/// Throws LayerNotFound, naming the nearest known layer.
const Layer& find_layer(const LayerMap& layers, std::string_view ref);

}  // namespace ov
