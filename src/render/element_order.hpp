// The order of elements in a domain and which of them may occur once; the one place that knows.
#pragma once

#include <pugixml.hpp>
#include <string_view>

namespace ov::render {

enum class Level { domain, device };

/// What libvirt lets stand below `<domain>` or `<devices>`.
struct KnownElement {
    std::string_view name;
    bool once;  ///< a second one is refused by libvirt, or replaces the first
};

/// nullptr: no such element at that level. Names carry their prefix ("qemu:commandline").
const KnownElement* find_element(Level level, std::string_view name) noexcept;

/// Appends an element at its place: behind the last one that comes before it or is of the same name.
pugi::xml_node insert_in_order(pugi::xml_node parent, Level level, std::string_view name);

}  // namespace ov::render
