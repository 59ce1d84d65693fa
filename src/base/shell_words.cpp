#include "base/shell_words.hpp"

namespace ov {

std::optional<std::vector<std::string>> shell_words(std::string_view line) {
    std::vector<std::string> words;
    bool inside = false;  // of a word, perhaps an empty one: ''
    char quote = '\0';
    const auto add = [&](char c) {
        if (!inside) words.emplace_back();
        inside = true;
        if (c != '\0') words.back() += c;
    };
    for (std::size_t at = 0; at < line.size(); ++at) {
        const char c = line[at];
        const bool last = at + 1 == line.size();
        const bool escapes =
            !last && (quote == '\0' || (quote == '"' && std::string_view("\\\"$`").find(line[at + 1]) != std::string_view::npos));
        if (c == '\\' && quote != '\'' && escapes) {
            add(line[++at]);
        } else if (quote != '\0') {
            if (c == quote)
                quote = '\0';
            else
                add(c);
        } else if (c == '\'' || c == '"') {
            quote = c;
            add('\0');
        } else if (c == ' ' || c == '\t' || c == '\n') {
            inside = false;
        } else {
            add(c);
        }
    }
    if (quote != '\0') return std::nullopt;
    return words;
}

}  // namespace ov
