#include "model/yaml_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ov {

namespace {

constexpr int indent = 4;

/// Whether a bare scalar with this text reads back as the same text. Stricter than YAML; quoting more is no harm.
bool is_bare(std::string_view text) {
    if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
    if (text == "---" || text == "..." || text == "<<" || text == "=" || text == "-" || text == "?") return false;
    constexpr std::string_view indicators = "?:,[]{}#&*!|>'\"%@`";
    if (indicators.find(text.front()) != std::string_view::npos) return false;
    if (text.front() == '-' && (text.size() == 1 || text[1] == ' ' || text[1] == '-')) return false;
    if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

/// Characters beyond ASCII that YAML 1.1 takes for a line break or refuses: U+0080-U+009F, U+2028, U+2029, the byte order mark.
/// Length in bytes and the escape, or 0.
std::pair<std::size_t, std::string> special(std::string_view text) {
    if (text.size() >= 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0)
        return {2, fmt::format("\\x{:02x}", static_cast<unsigned char>(text[1]))};
    if (text.starts_with("\xe2\x80\xa8")) return {3, "\\L"};
    if (text.starts_with("\xe2\x80\xa9")) return {3, "\\P"};
    if (text.starts_with("\xef\xbb\xbf")) return {3, "\\uFEFF"};
    return {0, {}};
}

bool has_special(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i)
        if (special(text.substr(i)).first > 0) return true;
    return false;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        if (const auto [length, escape] = special(text.substr(i)); length > 0) {
            out += escape;
            i += length - 1;
        } else if (c == '"' || c == '\\') {
            (out += '\\') += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;  // UTF-8 goes as it is
        }
    }
    return out + '"';
}

/// The word that a plain reader would take for a number, a boolean or null.
bool needs_quotes(const YamlNode& scalar) {
    if (!is_bare(scalar.text)) return true;
    if (scalar.plain) return false;
    YamlNode bare = scalar;
    bare.plain = true;
    return !equal_values(bare, scalar);
}

std::string scalar_text(const YamlNode& node) {
    return needs_quotes(node) ? quoted(node.text) : node.text;
}

/// Lines of plain text read best as they are: a literal block gives back exactly them.
bool is_block(const YamlNode& scalar) {
    const std::string_view text = scalar.text;
    if (scalar.plain || text.size() < 2 || text.find('\n') == std::string_view::npos) return false;
    // Blanks or newlines in front would need an indentation indicator; several at the end a chomping one.
    if (text.front() == ' ' || text.front() == '\n' || text.ends_with("\n\n")) return false;
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c == '\n' || c == '\t' || c >= 0x20; }) &&
           text.find('\x7f') == std::string_view::npos && !has_special(text) && text.find(" \n") == std::string_view::npos &&
           text.find("\t\n") == std::string_view::npos && text.back() != ' ' && text.back() != '\t' && text.front() != '\t';
}

void write_block(std::string& out, std::string_view text, int depth) {
    out += text.ends_with('\n') ? " |\n" : " |-\n";
    if (text.ends_with('\n')) text.remove_suffix(1);
    while (true) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (end > 0) out.append(static_cast<std::size_t>(depth), ' ') += text.substr(0, end);
        out += '\n';
        if (end == text.size()) return;
        text.remove_prefix(end + 1);
    }
}

std::string key_text(const std::string& key) {
    YamlNode scalar;
    scalar.kind = YamlNode::Kind::scalar;
    scalar.plain = false;
    scalar.text = key;
    return scalar_text(scalar);
}

/// Writes what follows "key:" or "-"; `depth` is the column of children.
void write_value(std::string& out, const YamlNode& node, int depth, bool in_list);

void write_entries(std::string& out, const YamlNode& map, int depth, bool first_in_place) {
    for (const YamlEntry& entry : map.entries) {
        if (!first_in_place) out.append(static_cast<std::size_t>(depth), ' ');
        first_in_place = false;
        out += key_text(entry.key) + ":";
        write_value(out, *entry.value, depth + indent, false);
    }
}

void write_value(std::string& out, const YamlNode& node, int depth, bool in_list) {
    switch (node.kind) {
        case YamlNode::Kind::null:
            out += " null\n";
            return;
        case YamlNode::Kind::scalar:
            if (is_block(node) && depth > 0)
                write_block(out, node.text, depth);
            else
                out += " " + scalar_text(node) + "\n";
            return;
        case YamlNode::Kind::sequence:
            if (node.items.empty()) {
                out += " []\n";
                return;
            }
            out += "\n";
            for (const YamlPtr& item : node.items) {
                out.append(static_cast<std::size_t>(depth), ' ');
                out += "-";
                write_value(out, *item, depth + 2, true);
            }
            return;
        case YamlNode::Kind::map:
            if (node.entries.empty()) {
                out += " {}\n";
                return;
            }
            out += in_list ? " " : "\n";
            write_entries(out, node, depth, in_list);
            return;
    }
}

YamlPtr plain_scalar(std::string text) {
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::scalar;
    node->text = std::move(text);
    return node;
}

}  // namespace

std::string write_yaml(const YamlNode& root) {
    std::string out;
    if (root.is_map() && !root.entries.empty()) {
        write_entries(out, root, 0, false);
    } else {
        write_value(out, root, 0, false);
        out.erase(0, 1);
    }
    return out;
}

YamlPtr yaml_text(std::string text) {
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::scalar;
    node->plain = false;
    node->text = std::move(text);
    return node;
}

YamlPtr yaml_integer(long long value) {
    return plain_scalar(std::to_string(value));
}
YamlPtr yaml_boolean(bool value) {
    return plain_scalar(value ? "true" : "false");
}

YamlPtr yaml_map(std::vector<std::pair<std::string, YamlPtr>> entries) {
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::map;
    for (auto& [key, value] : entries) node->entries.push_back({std::move(key), 0, 0, std::move(value)});
    return node;
}

YamlPtr yaml_list(const std::vector<std::string>& texts) {
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::sequence;
    for (const std::string& text : texts) node->items.push_back(yaml_text(text));
    return node;
}

void set_yaml_entry(YamlNode& map, std::string_view key, YamlPtr value) {
    for (YamlEntry& entry : map.entries)
        if (entry.key == key) {
            entry.value = std::move(value);
            return;
        }
    map.entries.push_back({std::string(key), 0, 0, std::move(value)});
}

YamlPtr yaml_entry(const YamlPtr& map, std::string_view key) {
    if (!map || !map->is_map()) return nullptr;
    for (const YamlEntry& entry : map->entries)
        if (entry.key == key) return entry.value;
    return nullptr;
}

std::string yaml_entry_text(const YamlPtr& map, std::string_view key) {
    const YamlPtr value = yaml_entry(map, key);
    return value ? value->text : std::string();
}

}  // namespace ov
