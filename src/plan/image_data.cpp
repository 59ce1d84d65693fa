#include "plan/image_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::string_view volume_letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

std::string text_of(const YamlNode& entry, std::string_view key) {
    const YamlNode* value = entry.is_map() ? entry.find(key) : nullptr;
    return value != nullptr && value->is_scalar() ? value->text : std::string();
}

std::vector<YamlPtr> items_of(const Layer& layer, std::string_view key) {
    const YamlNode* list = layer.body ? layer.body->find(key) : nullptr;
    return list != nullptr && list->is_sequence() ? list->items : std::vector<YamlPtr>();
}

/// Without empty and "." parts; nothing for a path that is absolute or goes up.
std::optional<std::string> inner_path(const std::string& text) {
    if (text.starts_with('/')) return std::nullopt;
    std::string clean;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('/', at), text.size());
        const std::string part = text.substr(at, end - at);
        if (part == "..") return std::nullopt;
        if (!part.empty() && part != ".") clean += (clean.empty() ? "" : "/") + part;
        at = end + 1;
    }
    return clean;
}

ImageData data_of(const Layer& layer, const YamlNode& entry) {
    const auto wrong = [&layer](std::string_view key, const std::string& why) {
        return Error(Errc::spec_invalid, fmt::format("layer {}: data.{}: {}", layer.key, key, why));
    };
    ImageData data;
    data.layer = layer.name;
    data.volume = text_of(entry, "volume");
    const std::string source = text_of(entry, "src"), dest = text_of(entry, "dest");
    if (source.empty()) throw wrong("src", "required: a file or directory of the layer");
    if (data.volume.empty()) throw wrong("volume", "required: the name of a volume");
    if (data.volume.find_first_not_of(volume_letters) != std::string::npos || data.volume.starts_with('.'))
        throw wrong("volume", fmt::format("'{}' is no name of a volume", data.volume));
    const auto inside = inner_path(source), below = inner_path(dest);
    if (!inside) throw wrong("src", fmt::format("'{}' leaves the layer", source));
    if (!below) throw wrong("dest", fmt::format("'{}' leaves the volume", dest));
    data.source = inside->empty() ? layer.dir : layer.dir + "/" + *inside;
    data.dest = *below;
    data.staging = "/data/" + data.volume + (data.dest.empty() ? "" : "/" + data.dest);
    return data;
}

}  // namespace

std::vector<ImageData> image_data(const ImageRecipe& recipe) {
    std::vector<ImageData> all;
    std::set<std::string> declared;
    for (const Layer* layer : recipe.layers)
        for (const YamlPtr& volume : items_of(*layer, "volume")) declared.insert(text_of(*volume, "name"));
    for (const Layer* layer : recipe.layers) {
        for (const YamlPtr& item : items_of(*layer, "data")) {
            all.push_back(data_of(*layer, *item));
            all.back().has_volume = declared.contains(all.back().volume);
        }
    }
    return all;
}

}  // namespace ov
