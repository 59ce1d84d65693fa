// Merging raw XML into the domain, and the findings about it.
#include <fmt/format.h>

#include <map>
#include <set>

#include "ov/render.hpp"
#include "render/markup.hpp"
#include "render/xml.hpp"

namespace ov {

namespace render {

namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

void replace(pugi::xml_node parent, pugi::xml_node old, pugi::xml_node with) {
    parent.insert_copy_before(with, old);
    parent.remove_child(old);
}

/// A second `qemu:commandline` is more words of the same command line.
void append_children(pugi::xml_node to, pugi::xml_node from) {
    for (const pugi::xml_node child : from.children()) to.append_copy(child);
}

bool has_channel(pugi::xml_node devices, std::string_view target) {
    for (const pugi::xml_node channel : devices.children("channel"))
        if (target == channel.child("target").attribute("name").value()) return true;
    return false;
}

void merge_element(pugi::xml_node domain, const MarkupElement& element) {
    const char* name = element.node.name();
    pugi::xml_node parent = element.level == Level::device ? domain.child("devices") : domain;
    const KnownElement* known = find_element(element.level, name);
    const pugi::xml_node present = parent.child(name);
    if (std::string_view(name) == "channel" && has_channel(parent, element.node.child("target").attribute("name").value()))
        return;
    if (present && std::string_view(name) == "qemu:commandline")
        append_children(present, element.node);
    else if (present && known && known->once)
        replace(parent, present, element.node);
    else
        replace(parent, insert_in_order(parent, element.level, name), element.node);
}

}  // namespace

std::vector<MarkupSource> markup_sources(const VmSpec& spec, const VmRuntime& runtime) {
    std::vector<MarkupSource> sources;
    if (!trimmed(spec.libvirt.xml_passthrough).empty())
        sources.push_back({"libvirt.xml_passthrough", {}, spec.libvirt.xml_passthrough});
    std::set<std::string, std::less<>> seen;
    const auto add_snippet = [&](std::string path, std::string owner, const std::string& text) {
        const std::string_view body = trimmed(text);
        if (seen.insert(std::string(body)).second) sources.push_back({std::move(path), std::move(owner), std::string(body)});
    };
    for (const LayerSnippet& snippet : runtime.layer_snippets)
        if (!trimmed(snippet.xml).empty())
            add_snippet({}, fmt::format("layer {}, libvirt[{}]", snippet.layer, snippet.index), snippet.xml);
    for (std::size_t i = 0; i < spec.libvirt.snippets.size(); ++i)
        add_snippet(fmt::format("libvirt.snippets[{}]", i), {}, spec.libvirt.snippets[i]);
    return sources;
}

void merge_markup(pugi::xml_node domain, const VmSpec& spec, const VmRuntime& runtime) {
    const std::vector<MarkupSource> sources = markup_sources(spec, runtime);
    if (sources.empty()) return;
    if (std::vector<Diagnostic> findings = check_markup(spec, runtime); !findings.empty()) throw SpecError(std::move(findings));
    for (const MarkupSource& source : sources)
        for (const Markup markup = parse_markup(source.text); const MarkupElement& element : markup.elements)
            merge_element(domain, element);
}

}  // namespace render

std::vector<Diagnostic> check_markup(const VmSpec& spec, const VmRuntime& runtime) {
    using namespace render;
    std::vector<Diagnostic> findings;
    std::map<std::string, std::string, std::less<>> once;  // "domain cpu" -> where it was first seen
    for (const MarkupSource& source : markup_sources(spec, runtime)) {
        const auto refuse = [&](std::string message) {
            if (!source.owner.empty()) message = source.owner + ": " + message;
            findings.push_back(spec.finding(source.path, std::move(message)));
        };
        const Markup markup = parse_markup(source.text);
        if (!markup.fault.empty()) refuse(markup.fault);
        for (const MarkupElement& element : markup.elements) {
            const std::string name = element.node.name();
            const KnownElement* known = find_element(element.level, name);
            if (!known->once || name == "qemu:commandline") continue;
            const std::string here = source.owner.empty() ? source.path : source.owner;
            const auto [first, fresh] = once.emplace(name, here);
            if (!fresh) refuse(fmt::format("a second <{}>, which may occur once; the first is in {}", name, first->second));
        }
    }
    return findings;
}

}  // namespace ov
