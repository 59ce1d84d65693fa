#include "base/shell_quote.hpp"

namespace ov {

std::string shell_quote(std::string_view text) {
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'')
            word += "'\\''";
        else
            word += c;
    }
    return word + '\'';
}

std::string shell_quote_lazy(std::string_view text) {
    constexpr std::string_view trigger = " \t\n\"'$*?[](){}<>|&;`\\!";
    if (text.empty() || text.find_first_of(trigger) != std::string_view::npos) return shell_quote(text);
    return std::string(text);
}

std::string shell_quote_expanding(std::string_view text) {
    std::string word = "\"";
    for (const char c : text) {
        if (c == '\\' || c == '`' || c == '"') word += '\\';
        word += c;
    }
    return word + '"';
}

}  // namespace ov
