// Rendering from texts: an entity's body, facts and runtime parameters as YAML, and XML in a form that compares.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "ov/render.hpp"
#include "ov/vm_spec.hpp"

namespace ov::test {

inline std::filesystem::path data_directory() {
    const char* data = std::getenv("OV_TEST_DATA");
    return data != nullptr ? data : "tests";
}

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), "cannot read ", path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string joined(const std::vector<Diagnostic>& findings) {
    std::string all;
    for (const Diagnostic& finding : findings) all += finding.str() + "\n";
    return all;
}

inline VmSpec spec_of(const std::string& body, const std::string& name = "atlas") {
    std::vector<Diagnostic> findings;
    VmSpec spec = parse_vm_spec(body, name, name + ".yml", findings);
    REQUIRE_MESSAGE(findings.empty(), joined(findings));
    return spec;
}

/// A host that takes everything: libvirt 11.3 with passt, QEMU 10, KVM on AMD.
inline HostFacts facts_of(const std::string& name = "libvirt-11.3.yml") {
    std::vector<Diagnostic> findings;
    HostFacts facts = parse_host_facts(read_text(data_directory() / "data" / "facts" / name), name, findings);
    REQUIRE_MESSAGE(findings.empty(), joined(findings));
    return facts;
}

inline VmRuntime runtime_of(const std::string& text, VmRuntime base = {}) {
    std::vector<Diagnostic> findings;
    VmRuntime runtime = parse_vm_runtime(text, "runtime.yml", std::move(base), findings);
    REQUIRE_MESSAGE(findings.empty(), joined(findings));
    return runtime;
}

/// Attributes of every element in order of their names.
inline void sort_attributes(pugi::xml_node node) {
    std::vector<std::pair<std::string, std::string>> attributes;
    for (const pugi::xml_attribute attribute : node.attributes()) attributes.emplace_back(attribute.name(), attribute.value());
    std::sort(attributes.begin(), attributes.end());
    while (node.first_attribute()) node.remove_attribute(node.first_attribute());
    for (const auto& [name, value] : attributes) node.append_attribute(name.c_str()) = value.c_str();
    for (const pugi::xml_node child : node.children()) sort_attributes(child);
}

struct StringWriter : pugi::xml_writer {
    std::string out;
    void write(const void* data, std::size_t size) override { out.append(static_cast<const char*>(data), size); }
};

/// The same text for documents that differ only in blanks and the order of attributes.
inline std::string canonical(const std::string& xml) {
    pugi::xml_document document;
    const auto parsed = document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_fragment);
    REQUIRE_MESSAGE(parsed, parsed.description(), " in ", xml);
    for (const pugi::xml_node child : document.children()) sort_attributes(child);
    StringWriter writer;
    document.save(writer, "  ", pugi::format_indent | pugi::format_no_declaration);
    return std::move(writer.out);
}

/// The elements that an XPath finds, in canonical form.
inline std::string part(const std::string& xml, const char* xpath) {
    pugi::xml_document document;
    REQUIRE(document.load_buffer(xml.data(), xml.size()));
    StringWriter writer;
    for (const pugi::xpath_node& found : document.select_nodes(xpath)) found.node().print(writer, "", pugi::format_raw);
    return canonical(writer.out);
}

}  // namespace ov::test
