// What may stand in an XML document: pugixml writes anything it is given, also what no parser takes back.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "ov/vm_spec.hpp"

namespace ov::render {

/// UTF-8 of characters that XML 1.0 can carry: no control characters but tab, newline and carriage return.
bool is_xml_text(std::string_view text) noexcept;
/// A name of an element or attribute, with at most one prefix. ASCII: libvirt has no other.
bool is_xml_name(std::string_view name) noexcept;

/// The first thing in the tree that would not be well-formed: "element <a b>", "attribute path of <source>"; empty if none.
std::string broken_part(pugi::xml_node root);

/// Throws SpecError naming the part; the last door before text.
void require_xml_text(const pugi::xml_document& document, const VmSpec& spec);

}  // namespace ov::render
