// Install plans as a Containerfile: the steps that a deploy would run on a machine, one RUN per layer and account. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ov/install_plan.hpp"
#include "plan/image_data.hpp"
#include "plan/image_recipe.hpp"
#include "plan/step_script.hpp"

namespace ov {

/// A build context, apart from the files of the operator's machine that go into it. Everything but the Containerfile is placed
/// in its folder "ov", where the paths below belong.
struct BuildContext {
    struct Script {
        std::string path, text;
    };
    struct Build {
        BuilderStep step;
        std::string path;  ///< of its archive, a plain tar
    };
    /// `data:` of a layer; the directory holds the one file, or what is in the directory.
    struct Data {
        std::string source, path;
    };
    std::string containerfile;
    std::vector<Script> scripts;
    std::vector<Upload> uploads;
    std::vector<Build> builds;
    std::vector<Data> data;
    std::vector<std::string> notes;
};

/// `digests`: SHA-256 by `Upload::source`, of a directory over what is in it; they make podman's cache see a changed file.
/// Reboots and what needs a running systemd are left out with a note.
BuildContext build_context(const ImageRecipe& recipe, const std::vector<InstallPlan>& plans,
                           const std::map<std::string, std::string>& labels, const std::map<std::string, std::string>& digests);

/// What the steps of these plans take from the operator's machine.
std::vector<Upload> build_uploads(const std::vector<InstallPlan>& plans);

/// The text of /etc/supervisord.conf for the services of these layers; what it cannot express is told in `notes`.
std::string supervisord_text(const OrderedLayers& layers, const std::string& home, std::vector<std::string>& notes);

/// One LABEL instruction; empty without labels.
std::string label_lines(const std::map<std::string, std::string>& labels);

}  // namespace ov
