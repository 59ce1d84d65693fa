#include "ov/layer.hpp"

#include <algorithm>

namespace ov {

bool Layer::has_content() const noexcept {
    static constexpr std::string_view composing[] = {"port",    "route", "volume",  "alias",
                                                     "extract", "data",  "libvirt", "port_relay"};
    const bool installs = !packages.empty() || !distros.empty() || !tasks.empty() || !apk.empty() || !services.empty() ||
                          !manifests.empty() || !env.empty() || !path_append.empty() || shell || reboot;
    const bool records = !artifacts.empty() || !secret_require.empty() || !secret_accept.empty();
    if (installs || records) return true;
    return body && std::any_of(std::begin(composing), std::end(composing), [&](std::string_view word) {
               const YamlNode* value = body->find(word);
               return value != nullptr && (!value->items.empty() || !value->entries.empty());
           });
}

SourcePosition Layer::place_of(std::string_view body_key) const {
    if (body)
        for (const YamlEntry& entry : body->entries)
            if (entry.key == body_key) return {where.file, entry.line, entry.column};
    return where;
}

}  // namespace ov
