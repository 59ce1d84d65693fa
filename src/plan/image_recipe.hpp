// What an `image:` entry of the project asks for, with everything that it inherits from the images below it. Pure.
#pragma once

#include <string>
#include <vector>

#include "ov/compile.hpp"
#include "ov/project.hpp"

namespace ov {

struct ImageRecipe {
    std::string name;
    std::string from;           ///< reference of the lowest image, outside of the project
    std::string containerfile;  ///< relative to the project; it then says what is built, and there are no layers
    std::string user = "user", home;
    unsigned uid = 1000, gid = 1000;
    std::string version, registry = "localhost";
    std::vector<std::string> distro;  ///< tags as authored; empty: the lowest image is asked
    OrderedLayers layers;             ///< of the whole chain, the lowest image's first
    std::vector<std::string> env;     ///< KEY=VALUE
    std::vector<std::string> ports;
    std::string network, status, info;
    std::string init;         ///< "supervisord", "image": the command of its Containerfile, or empty: nothing starts services
    bool has_account = true;  ///< false for a Containerfile whose entry names none: its own USER and WORKDIR count
    YamlPtr body;             ///< the entry itself

    /// "localhost/web:2026.150.1200"
    std::string tag() const { return registry + "/" + name + ":" + version; }
};

/// Throws Error{not_found} naming the image, Error{spec_invalid} naming entry and key: no base, a chain that comes back to
/// itself, a user that is no name.
ImageRecipe image_recipe(const Project& project, const std::string& name);

/// What a machine of this image looks like to the compiler. `asked`: distribution of the lowest image where the entries name
/// none.
CompileContext image_context(const Project& project, const ImageRecipe& recipe, const Distro& asked);

}  // namespace ov
