#include <fmt/format.h>

#include "base/near_name.hpp"
#include "model/layer_ref.hpp"
#include "ov/load.hpp"

namespace ov {

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
