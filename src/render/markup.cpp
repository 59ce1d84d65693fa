#include "render/markup.hpp"

#include <fmt/format.h>

#include <cstring>

#include "render/text_check.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

constexpr std::string_view qemu_namespace = "http://libvirt.org/schemas/domain/qemu/1.0";
constexpr unsigned parse_options = pugi::parse_default | pugi::parse_fragment;

/// Every `&` must begin a reference that XML knows; the parser keeps others as text.
bool has_unknown_entity(std::string_view text) {
    for (std::size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
        const std::string_view rest = text.substr(at + 1);
        const std::size_t end = rest.find(';');
        const std::string_view name = rest.substr(0, std::min(end, rest.size()));
        const bool number = name.starts_with('#') && name.size() > 1;
        if (end == std::string_view::npos ||
            !(number || name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos"))
            return true;
    }
    return false;
}

/// The first name whose prefix nothing declares, or empty. `qemu` is declared by the renderer itself.
std::string undeclared_prefix(pugi::xml_node node) {
    const std::string_view name = node.name();
    if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
        const std::string prefix(name.substr(0, colon));
        const std::string declaration = "xmlns:" + prefix;
        bool known = prefix == "qemu" || prefix == "xml";
        for (pugi::xml_node up = node; up && !known; up = up.parent()) known = up.attribute(declaration.c_str());
        if (!known) return prefix;
    }
    for (const pugi::xml_node child : node.children())
        if (std::string found = undeclared_prefix(child); !found.empty()) return found;
    return {};
}

std::string placement_fault(Level level, pugi::xml_node node) {
    const std::string name = node.name();
    if (level == Level::domain) {
        for (const pugi::xml_attribute attribute : node.attributes())
            if (qemu_namespace == attribute.value() && std::strcmp(attribute.name(), "xmlns:qemu") != 0)
                return "libvirt's QEMU namespace is written with the prefix qemu here";
        if (name == "name" || name == "uuid") return fmt::format("<{}> is set by ov and cannot be replaced", name);
        if (!find_element(level, name)) return fmt::format("libvirt knows no <{}> below <domain> or <devices>", name);
    }
    if (level == Level::device && name == "memory" && !node.attribute("model"))
        return "<memory> as a device needs a model (dimm, nvdimm, virtio-mem ...); the machine's memory is the key ram";
    return {};
}

/// Sorts one root element in; a `<devices>` root stands for its children.
std::string place(pugi::xml_node node, std::vector<MarkupElement>& elements) {
    const std::string_view name = node.name();
    if (name == "devices") {
        for (const pugi::xml_node child : node.children()) {
            if (child.type() != pugi::node_element) return "text between the devices";
            if (!find_element(Level::device, child.name()))
                return fmt::format("libvirt knows no <{}> below <devices>", child.name());
            if (std::string fault = placement_fault(Level::device, child); !fault.empty()) return fault;
            elements.push_back({Level::device, child});
        }
        return {};
    }
    const Level level = find_element(Level::device, name) ? Level::device : Level::domain;
    elements.push_back({level, node});
    return placement_fault(level, node);
}

std::string fault_of(std::string_view text, const Markup& markup, const pugi::xml_parse_result& parsed) {
    if (!parsed) return fmt::format("malformed XML: {} at byte {}", parsed.description(), parsed.offset);
    if (std::string broken = broken_part(*markup.document); !broken.empty()) return "malformed XML: " + broken;
    if (has_unknown_entity(text)) return "malformed XML: an & that begins no reference; write &amp;";
    return {};
}

std::string sort_elements(Markup& markup) {
    for (const pugi::xml_node node : markup.document->children()) {
        if (node.type() != pugi::node_element) return "text outside of an element";
        if (std::string prefix = undeclared_prefix(node); !prefix.empty())
            return fmt::format("the namespace prefix {} is not declared", prefix);
        if (std::string fault = place(node, markup.elements); !fault.empty()) return fault;
    }
    return markup.elements.empty() ? "no element in it" : std::string();
}

}  // namespace

Markup parse_markup(std::string_view text) {
    Markup markup;
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        markup.fault = "empty";
        return markup;
    }
    markup.document = std::make_unique<pugi::xml_document>();
    const auto parsed = markup.document->load_buffer(text.data(), text.size(), parse_options, pugi::encoding_utf8);
    markup.fault = fault_of(text, markup, parsed);
    if (markup.fault.empty()) markup.fault = sort_elements(markup);
    if (!markup.fault.empty()) markup.elements.clear();
    return markup;
}

}  // namespace ov::render
