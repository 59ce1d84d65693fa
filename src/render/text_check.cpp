#include "render/text_check.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ov::render {

namespace {

/// Length of the UTF-8 sequence at the front and its code point; length 0 when it is none.
struct Decoded {
    std::size_t length = 0;
    std::uint32_t code = 0;
};

Decoded decode(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (length == 1) return {1, first};
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
    std::uint32_t code = first & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        code = (code << 6) | (byte(i) & 0x3fu);
    }
    constexpr std::uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
    return code < shortest[length] ? Decoded{} : Decoded{length, code};
}

bool is_xml_character(std::uint32_t code) noexcept {
    if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
    return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}

bool has_duplicate_attribute(pugi::xml_node node) {
    for (pugi::xml_attribute a = node.first_attribute(); a; a = a.next_attribute())
        for (pugi::xml_attribute b = a.next_attribute(); b; b = b.next_attribute())
            if (std::string_view(a.name()) == b.name()) return true;
    return false;
}

struct Walker : pugi::xml_tree_walker {
    std::string broken;

    bool for_each(pugi::xml_node& node) override {
        if (depth() > 100)
            broken = "elements nested too deeply";
        else if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata)
            check_text(node);
        else if (node.type() == pugi::node_element)
            check_element(node);
        return broken.empty();
    }

    void check_text(pugi::xml_node node) {
        if (!is_xml_text(node.value())) broken = fmt::format("the text of <{}>", node.parent().name());
    }

    void check_element(pugi::xml_node node) {
        if (!is_xml_name(node.name())) {
            broken = "the name of an element";
            return;
        }
        for (const pugi::xml_attribute attribute : node.attributes()) {
            if (!is_xml_name(attribute.name()))
                broken = fmt::format("the name of an attribute of <{}>", node.name());
            else if (!is_xml_text(attribute.value()))
                broken = fmt::format("the attribute {} of <{}>", attribute.name(), node.name());
        }
        if (has_duplicate_attribute(node)) broken = fmt::format("an attribute given twice in <{}>", node.name());
    }
};

}  // namespace

bool is_xml_text(std::string_view text) noexcept {
    while (!text.empty()) {
        const Decoded next = decode(text);
        if (next.length == 0 || !is_xml_character(next.code)) return false;
        text.remove_prefix(next.length);
    }
    return true;
}

bool is_xml_name(std::string_view name) noexcept {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto part = [&](std::string_view text) {
        return !text.empty() && letter(text.front()) && std::all_of(text.begin(), text.end(), [&](char c) {
            return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
        });
    };
    const std::size_t colon = name.find(':');
    return colon == std::string_view::npos ? part(name) : part(name.substr(0, colon)) && part(name.substr(colon + 1));
}

std::string broken_part(pugi::xml_node root) {
    Walker walker;
    root.traverse(walker);
    return walker.broken;
}

void require_xml_text(const pugi::xml_document& document, const VmSpec& spec) {
    const std::string broken = broken_part(document);
    if (broken.empty()) return;
    throw SpecError({spec.finding("", broken + " holds a character that XML cannot carry")});
}

}  // namespace ov::render
