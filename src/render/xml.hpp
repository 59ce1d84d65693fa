// Small helpers over pugixml: an unset value leaves no trace in the tree, and the text form is the same bytes each time.
#pragma once

#include <concepts>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

namespace ov::render {

/// Sets an attribute unless the text is empty.
void set(pugi::xml_node node, const char* name, const std::string& value);
void set(pugi::xml_node node, const char* name, const char* value);
/// An integer attribute; unset leaves none.
void set(pugi::xml_node node, const char* name, std::optional<long long> value);
void set_number(pugi::xml_node node, const char* name, long long value);

/// Appends `<name>text</name>`, with empty text `<name/>`.
pugi::xml_node add(pugi::xml_node parent, const char* name, const std::string& text = {});
/// Appends the element only when there is text.
void add_if(pugi::xml_node parent, const char* name, const std::string& text);

/// Whether the element has neither attributes nor children.
bool is_blank(pugi::xml_node node);

/// The part of a name behind its prefix: "commandline" of "qemu:commandline".
std::string_view local_name(std::string_view name) noexcept;

/// Two blanks of indentation, no declaration, one newline at the end.
std::string to_text(const pugi::xml_document& document);
/// One element in the same form.
std::string to_text(pugi::xml_node node);

}  // namespace ov::render
