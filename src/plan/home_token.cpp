#include "plan/home_token.hpp"

#include <algorithm>

#include "ov/install_plan.hpp"

namespace ov::plan {

namespace {

bool is_identifier(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool begins_identifier(char c) noexcept {
    return is_identifier(c) && !(c >= '0' && c <= '9');
}

/// A variable reference at `at` (which holds '$'): its name, and where the text goes on.
struct Reference {
    std::string_view name;
    std::size_t end = 0;
    bool braced = false;
};

Reference reference_at(std::string_view text, std::size_t at) {
    std::size_t begin = at + 1;
    const bool braced = begin < text.size() && text[begin] == '{';
    if (braced) ++begin;
    if (begin >= text.size() || !begins_identifier(text[begin])) return {};
    std::size_t end = begin;
    while (end < text.size() && is_identifier(text[end])) ++end;
    const std::string_view name = text.substr(begin, end - begin);
    if (!braced) return {name, end, false};
    if (end >= text.size() || text[end] != '}') return {};
    return {name, end + 1, true};
}

/// Copies `text`, asking `replace(name)` for a replacement (or nullptr) of each reference.
template <class Replace>
std::string substitute(std::string_view text, Replace replace) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const Reference found = text[i] == '$' ? reference_at(text, i) : Reference{};
        const std::string* value = found.end != 0 ? replace(found.name) : nullptr;
        if (value != nullptr) {
            out += *value;
            i = found.end;
        } else {
            out += text[i++];
        }
    }
    return out;
}

}  // namespace

std::string tokenise_home(std::string_view text) {
    static const std::string token = home_token;
    std::string out;
    if (text == "~") return token;
    if (text.starts_with("~/")) {
        out = token;
        text.remove_prefix(1);
    }
    return out + substitute(text, [](std::string_view name) { return name == "HOME" ? &token : nullptr; });
}

std::string expand_variables(std::string_view text, const std::map<std::string, std::string>& variables) {
    return substitute(text, [&](std::string_view name) -> const std::string* {
        const auto found = variables.find(std::string(name));
        return found == variables.end() ? nullptr : &found->second;
    });
}

std::string first_variable(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$') continue;
        const Reference found = reference_at(text, i);
        if (found.braced) return std::string(found.name);
    }
    return {};
}

}  // namespace ov::plan
