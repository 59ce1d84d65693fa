#include "plan/script_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/shell_quote.hpp"
#include "ov/error.hpp"

namespace ov {

std::string script_word(std::string_view text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_./:@%+,=-").find(c) != std::string_view::npos;
    };
    return !text.empty() && std::ranges::all_of(text, plain) ? std::string(text) : shell_quote(text);
}

std::string script_call(std::string_view name, std::initializer_list<std::string_view> words) {
    std::vector<std::string_view> kept(words);
    while (!kept.empty() && kept.back().empty()) kept.pop_back();
    std::string line(name);
    for (const std::string_view word : kept) line += " " + script_word(word);
    return line + "\n";
}

std::string all_of(std::initializer_list<std::string_view> lines) {
    std::string script;
    for (std::string_view line : lines) {
        while (line.ends_with('\n')) line.remove_suffix(1);
        if (!line.empty()) script.append(script.empty() ? "" : " &&\n").append(line);
    }
    return script.empty() ? script : script + "\n";
}

std::string octal_mode(unsigned mode) {
    return fmt::format("0{:03o}", mode & 07777);
}

std::string absolute_path(std::string_view path) {
    if (path.empty() || path.front() != '/') throw Error(Errc::spec_invalid, fmt::format("not an absolute path: '{}'", path));
    std::string normal = std::filesystem::path(path).lexically_normal().string();
    while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
    if (normal.starts_with("//")) normal.erase(0, 1);
    return normal;
}

}  // namespace ov
