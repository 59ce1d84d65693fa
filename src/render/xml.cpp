#include "render/xml.hpp"

namespace ov::render {

void set(pugi::xml_node node, const char* name, const std::string& value) {
    if (!value.empty()) node.append_attribute(name) = value.c_str();
}

void set(pugi::xml_node node, const char* name, const char* value) {
    if (*value != '\0') node.append_attribute(name) = value;
}

void set(pugi::xml_node node, const char* name, std::optional<long long> value) {
    if (value) set_number(node, name, *value);
}

void set_number(pugi::xml_node node, const char* name, long long value) {
    node.append_attribute(name) = value;
}

pugi::xml_node add(pugi::xml_node parent, const char* name, const std::string& text) {
    pugi::xml_node node = parent.append_child(name);
    if (!text.empty()) node.append_child(pugi::node_pcdata).set_value(text.c_str());
    return node;
}

void add_if(pugi::xml_node parent, const char* name, const std::string& text) {
    if (!text.empty()) add(parent, name, text);
}

bool is_blank(pugi::xml_node node) {
    return !node.first_child() && !node.first_attribute();
}

std::string_view local_name(std::string_view name) noexcept {
    const std::size_t colon = name.find(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

namespace {

struct TextWriter : pugi::xml_writer {
    std::string out;
    void write(const void* data, std::size_t size) override { out.append(static_cast<const char*>(data), size); }
};

constexpr unsigned format = pugi::format_indent | pugi::format_no_declaration;

}  // namespace

std::string to_text(const pugi::xml_document& document) {
    TextWriter writer;
    writer.out.reserve(8192);
    document.save(writer, "  ", format, pugi::encoding_utf8);
    return std::move(writer.out);
}

std::string to_text(pugi::xml_node node) {
    TextWriter writer;
    node.print(writer, "  ", format, pugi::encoding_utf8);
    return std::move(writer.out);
}

}  // namespace ov::render
