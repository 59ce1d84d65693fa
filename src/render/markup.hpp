// Raw XML of authors: `libvirt.snippets`, the layers' snippets, `libvirt.xml_passthrough`. Parsed, sorted into domain and device
// elements, merged into the tree by the rules of `libvirt-renderer.md` 8.
#pragma once

#include <memory>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ov/vm_runtime.hpp"
#include "ov/vm_spec.hpp"
#include "render/element_order.hpp"

namespace ov::render {

/// One element to merge; `node` belongs to the document of its markup.
struct MarkupElement {
    Level level = Level::domain;
    pugi::xml_node node;
};

/// One authored text. With a `fault` it has no elements.
struct Markup {
    std::unique_ptr<pugi::xml_document> document;
    std::vector<MarkupElement> elements;
    std::string fault;
};

Markup parse_markup(std::string_view text);

/// An authored text with its place: "libvirt.snippets[1]", or the layer and its index.
struct MarkupSource {
    std::string path;   ///< below the entity; empty for a layer's
    std::string owner;  ///< "layer web, libvirt[0]"; empty for the entity's own
    std::string text;
};
/// In merging order: passthrough, layers, entity. Blank and repeated snippets are left out, the first one wins.
std::vector<MarkupSource> markup_sources(const VmSpec& spec, const VmRuntime& runtime);

/// Throws SpecError when `check_markup` has findings.
void merge_markup(pugi::xml_node domain, const VmSpec& spec, const VmRuntime& runtime);

}  // namespace ov::render
