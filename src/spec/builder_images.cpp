#include <algorithm>

#include "ov/load.hpp"

namespace ov {

namespace {

/// A root image stands on something that is no image of the project.
bool is_root_image(const Project& project, const YamlNode& image) {
    const YamlNode* base = image.find("base");
    if (base == nullptr) return true;
    const std::size_t dot = base->text.find('.');
    const bool mounted = dot != std::string::npos && base->text.find('/') == std::string::npos &&
                         project.namespaces.contains(base->text.substr(0, dot));
    return !mounted && !project.images.contains(base->text);
}

bool lists(const YamlNode& image, const std::string& tag) {
    const YamlNode* distro = image.find("distro");
    return distro != nullptr &&
           std::any_of(distro->items.begin(), distro->items.end(), [&](const YamlPtr& item) { return item->text == tag; });
}

}  // namespace

std::map<std::string, std::string> builder_images(const Project& project, const std::vector<std::string>& distro_tags) {
    std::map<std::string, std::string> images = project.defaults.builder;
    for (const std::string& tag : distro_tags) {
        for (const auto& [name, image] : project.images) {
            const YamlNode* builder = image && image->is_map() ? image->find("builder") : nullptr;
            if (builder == nullptr || !builder->is_map() || !is_root_image(project, *image) || !lists(*image, tag)) continue;
            for (const YamlEntry& entry : builder->entries) images.insert_or_assign(entry.key, entry.value->text);
            return images;
        }
    }
    return images;
}

}  // namespace ov
