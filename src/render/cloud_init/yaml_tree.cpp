// Merging and ordering of YAML values.
#include <algorithm>

#include "render/cloud_init/parts.hpp"

namespace ov::render::cloud_init {

YamlPtr merged(const YamlPtr& base, const YamlPtr& extra) {
    if (base->is_sequence() && extra->is_sequence()) {
        auto list = std::make_shared<YamlNode>(*base);
        list->items.insert(list->items.end(), extra->items.begin(), extra->items.end());
        return list;
    }
    if (!base->is_map() || !extra->is_map()) return extra;
    auto map = std::make_shared<YamlNode>(*base);
    for (const YamlEntry& entry : extra->entries) {
        const auto present =
            std::find_if(map->entries.begin(), map->entries.end(), [&](const YamlEntry& e) { return e.key == entry.key; });
        if (present == map->entries.end())
            map->entries.push_back(entry);
        else
            present->value = merged(present->value, entry.value);
    }
    return map;
}

YamlPtr sorted(const YamlPtr& node) {
    if (!node->is_map() && !node->is_sequence()) return node;
    auto out = std::make_shared<YamlNode>(*node);
    for (YamlPtr& item : out->items) item = sorted(item);
    for (YamlEntry& entry : out->entries) entry.value = sorted(entry.value);
    std::sort(out->entries.begin(), out->entries.end(), [](const YamlEntry& a, const YamlEntry& b) { return a.key < b.key; });
    return out;
}

}  // namespace ov::render::cloud_init
