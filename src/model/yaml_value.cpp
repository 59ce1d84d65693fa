#include <algorithm>
#include <cctype>

#include "ov/yaml.hpp"

namespace ov {

const YamlNode* YamlNode::find(std::string_view key) const noexcept {
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const YamlEntry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : found->value.get();
}

namespace {

/// A plain word that some YAML reader takes for something other than a text.
bool reads_as_other_type(std::string_view text) noexcept {
    if (text.empty()) return true;
    const bool has_digit = text.find_first_of("0123456789") != std::string_view::npos;
    if (has_digit && text.find_first_not_of("0123456789+-._eExXoabcdefABCDEF:T Z") == std::string_view::npos) return true;
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const std::string_view word : {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", ".inf", ".nan"})
        if (lower == word) return true;
    return false;
}

bool equal_scalars(const YamlNode& a, const YamlNode& b) {
    return a.text == b.text && (a.plain == b.plain || !reads_as_other_type(a.text));
}

}  // namespace

bool equal_values(const YamlNode& a, const YamlNode& b) {
    if (&a == &b) return true;
    if (a.kind != b.kind) return false;
    switch (a.kind) {
        case YamlNode::Kind::null:
            return true;
        case YamlNode::Kind::scalar:
            return equal_scalars(a, b);
        case YamlNode::Kind::sequence:
            return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                              [](const YamlPtr& x, const YamlPtr& y) { return equal_values(*x, *y); });
        case YamlNode::Kind::map:
            return a.entries.size() == b.entries.size() &&
                   std::all_of(a.entries.begin(), a.entries.end(), [&](const YamlEntry& e) {
                       const YamlNode* other = b.find(e.key);
                       return other != nullptr && equal_values(*e.value, *other);
                   });
    }
    return false;
}

std::string_view kind_name(const YamlNode& node) noexcept {
    switch (node.kind) {
        case YamlNode::Kind::null:
            return "null";
        case YamlNode::Kind::scalar:
            return "text";
        case YamlNode::Kind::sequence:
            return "list";
        case YamlNode::Kind::map:
            return "mapping";
    }
    return "value";
}

}  // namespace ov
