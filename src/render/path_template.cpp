#include "render/path_template.hpp"

#include <optional>
#include <string_view>

namespace ov::render {

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::optional<std::string> expanded(std::string_view text, const VmRuntime& runtime) {
    std::string out;
    for (std::size_t open; (open = text.find("{{")) != std::string_view::npos;) {
        const std::size_t close = text.find("}}", open);
        if (close == std::string_view::npos) return std::nullopt;
        const std::string_view variable = trimmed(text.substr(open + 2, close - open - 2));
        out += text.substr(0, open);
        if (variable == ".VmStateDir")
            out += runtime.state_dir;
        else if (variable == ".VmName")
            out += runtime.name;
        else
            return std::nullopt;
        text.remove_prefix(close + 2);
    }
    return out += text;
}

}  // namespace

std::string expand_path(const std::string& path, const VmRuntime& runtime) {
    if (path.empty()) return path;
    std::string out = expanded(path, runtime).value_or(path);
    if (!out.starts_with('/') && !runtime.state_dir.empty()) out.insert(0, runtime.state_dir + "/");
    return out;
}

}  // namespace ov::render
