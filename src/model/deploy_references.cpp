#include <fmt/format.h>

#include "base/near_name.hpp"
#include "model/layer_ref.hpp"
#include "model/vm_identity.hpp"
#include "ov/load.hpp"
#include "ov/vm_validate.hpp"

namespace ov {

namespace {

/// State that a verb wrote down for a machine outlives the entity; that is nobody's mistake in a file.
bool only_state(const DeployNode& node) {
    return node.vm_state && node.add_layers.empty() && node.image.empty();
}

template <class Map>
std::vector<std::string> names_of(const Map& map) {
    std::vector<std::string> names;
    for (const auto& [name, value] : map) names.push_back(name);
    return names;
}

}  // namespace

std::vector<Diagnostic> validate_deploy_references(const Project& project) {
    std::vector<Diagnostic> findings;
    for (const auto& [key, node] : project.deploys) {
        const std::string path = "deploy." + key;
        const bool machine = node.target == "vm" || (node.target.empty() && !node.vm.empty());
        if (machine && !only_state(node)) {
            const std::string entity = vm_identity(key, node).entity;
            if (!project.vms.contains(entity))
                findings.push_back(
                    {node.where, path + ".vm",
                     fmt::format("no VM \"{}\" in the project{}", entity, did_you_mean(entity, names_of(project.vms))),
                     Severity::error});
        }
        for (const std::string& ref : node.add_layers) {
            // What stands elsewhere is looked at when it is fetched.
            const bool mounted = project.namespaces.contains(ref.substr(0, ref.find('.')));
            if (is_directory_ref(ref) || is_remote_ref(ref) || mounted || project.layers.contains(layer_key(ref))) continue;
            findings.push_back({node.where, path + ".add_layer",
                                fmt::format("layer \"{}\" not found{}", ref, did_you_mean(ref, names_of(project.layers))),
                                Severity::error});
        }
    }
    return findings;
}

}  // namespace ov
