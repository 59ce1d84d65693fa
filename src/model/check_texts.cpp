// Texts that no XML document and no command line can carry (`libvirt-renderer.md` 2, W24).
#include "model/vm_check.hpp"

namespace ov {

namespace {

/// What is wrong with a text, or empty. Line breaks are for `several_lines` only.
std::string_view problem_of(std::string_view text, bool several_lines) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x80) {
            if (byte == '\n' || byte == '\r' || byte == '\t') {
                if (!several_lines) return "a line break or tab";
            } else if (byte < 0x20 || byte == 0x7f) {
                return "a control character";
            }
            ++i;
            continue;
        }
        const std::size_t length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
        if (length == 0 || byte >= 0xf5 || i + length > text.size()) return "bytes that are no UTF-8";
        std::uint32_t code = byte & (0xffU >> (length + 1));
        for (std::size_t k = 1; k < length; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next & 0xc0U) != 0x80) return "bytes that are no UTF-8";
            code = (code << 6U) | (next & 0x3fU);
        }
        constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return "bytes that are no UTF-8";
        if (code == 0xfffe || code == 0xffff) return "a character that XML does not have";
        i += length;
    }
    return {};
}

void walk(VmCheck& check, const YamlNode& node, const std::string& path, bool several_lines) {
    if (node.is_scalar()) {
        const std::string_view problem = problem_of(node.text, several_lines);
        if (!problem.empty()) check.error(path, fmt::format("must not contain {}", problem));
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) walk(check, *node.items[i], item_path(path, i), several_lines);
    for (const YamlEntry& entry : node.entries) {
        // What goes to cloud-init has its own form; XML and certificates have lines.
        if (path.empty() && (entry.key == "cloud_init" || entry.key == "eval" || entry.key == "deploy_eval")) continue;
        const bool lines = several_lines || entry.key == "snippets" || entry.key == "xml_passthrough" || entry.key == "dh_cert" ||
                           entry.key == "session" || entry.key == "description";
        const bool quoted = entry.key.empty() || entry.key.find_first_of(" .[]\"'\t\n") != std::string::npos;
        const std::string key = quoted ? "\"" + entry.key + "\"" : entry.key;
        const std::string inner = path.empty() ? key : path + "." + key;
        if (!problem_of(entry.key, false).empty())
            check.error(path, fmt::format("a key must not contain {}", problem_of(entry.key, false)));
        walk(check, *entry.value, inner, lines);
    }
}

}  // namespace

void check_texts(VmCheck& check) {
    if (const YamlNode* body = check.spec.places.node("")) walk(check, *body, "", false);
}

}  // namespace ov
