#include <fmt/format.h>

#include <algorithm>

#include "base/near_name.hpp"
#include "model/layer_ref.hpp"
#include "ov/load.hpp"

namespace ov {

bool is_directory_ref(std::string_view ref) noexcept {
    if (is_remote_ref(ref)) return false;
    return ref.starts_with("./") || ref.starts_with("../") || ref.starts_with('/') || ref.ends_with(".yml") ||
           ref.ends_with(".yaml");
}

const Layer& find_layer(const Project& project, std::string_view ref) {
    if (!is_directory_ref(ref)) return find_layer(project.layers, ref);
    const std::string directory = layer_directory(ref, project.directory);
    const auto found = std::find_if(project.layers.begin(), project.layers.end(),
                                    [&](const auto& entry) { return entry.second.dir == directory; });
    if (found == project.layers.end())
        throw LayerNotFound(std::string(ref), "", fmt::format("{}: no layer.yml in {}", ref, directory));
    return found->second;
}

const Layer& find_layer(const LayerMap& layers, std::string_view ref) {
    if (ref.empty()) throw LayerNotFound("", "", "a layer reference is empty");
    const auto found = layers.find(layer_key(ref));
    if (found != layers.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [key, layer] : layers) names.push_back(key);
    throw LayerNotFound(std::string(ref), "",
                        fmt::format("layer \"{}\" not found in the project{}", ref, did_you_mean(ref, names)));
}

}  // namespace ov
