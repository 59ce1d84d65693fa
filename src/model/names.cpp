#include "model/names.hpp"

#include <algorithm>

namespace ov {

namespace {

bool is_alnum(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_valid_entity_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= 64 && is_alnum(name.front()) &&
           std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || c == '_' || c == '-'; });
}

bool is_valid_layer_name(std::string_view name) noexcept {
    return !name.empty() && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

std::string deploy_key_problem(std::string_view key) {
    if (key.empty()) return "a deploy needs a name";
    if (key.find('.') != std::string_view::npos)
        return "a deploy key must not contain \".\": it is reserved for paths to nested deploys";
    if (std::count(key.begin(), key.end(), '/') > 1) return "a deploy key has at most one \"/\", between name and instance";
    if (key.front() == '/' || key.back() == '/') return "a deploy key must not begin or end with \"/\"";
    if (std::any_of(key.begin(), key.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
        return "a deploy key must not contain white space";
    return {};
}

}  // namespace ov
