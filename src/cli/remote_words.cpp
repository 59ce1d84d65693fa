#include "cli/remote_words.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace ov::cli {

namespace {

/// Flags that take the next word as their value, when it is not attached.
bool takes_value(std::string_view word) {
    constexpr std::array<std::string_view, 9> flags{"-C", "--dir", "--host", "-i", "--instance", "-p", "--port", "-l", "--user"};
    return std::find(flags.begin(), flags.end(), word) != flags.end();
}

}  // namespace

std::vector<std::string> cut_remote_words(std::vector<std::string>& arguments) {
    constexpr std::array<std::string_view, 2> verb{"vm", "ssh"};
    std::size_t positionals = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--" && positionals == verb.size()) continue;
        if (word.size() > 1 && word.front() == '-') {
            if (takes_value(word)) ++i;
            continue;
        }
        if (positionals < verb.size()) {
            if (word != verb[positionals]) return {};
            ++positionals;
            continue;
        }
        // The VM's name.
        std::vector<std::string> words(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
        arguments.resize(i + 1);
        if (!words.empty() && words.front() == "--") words.erase(words.begin());
        return words;
    }
    return {};
}

}  // namespace ov::cli
