#include "base/text.hpp"

namespace ov {

std::string last_lines(std::string_view text, std::size_t count) {
    std::string tail;
    while (count > 0 && !text.empty()) {
        const std::size_t newline = text.rfind('\n');
        std::string_view line = newline == std::string_view::npos ? text : text.substr(newline + 1);
        text = text.substr(0, newline == std::string_view::npos ? 0 : newline);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        tail = tail.empty() ? std::string(line) : std::string(line) + '\n' + tail;
        --count;
    }
    return tail;
}

}  // namespace ov
