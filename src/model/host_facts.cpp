#include "ov/host_facts.hpp"

#include <fmt/format.h>

#include <charconv>

namespace ov {

std::string Version::str() const {
    return patch_number == 0 ? fmt::format("{}.{}", major_number, minor_number)
                             : fmt::format("{}.{}.{}", major_number, minor_number, patch_number);
}

std::optional<Version> parse_version(std::string_view text) noexcept {
    int parts[3] = {};
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int i = 0; i < 3; ++i) {
        const auto [next, failure] = std::from_chars(at, end, parts[i]);
        if (failure != std::errc() || parts[i] < 0) {
            if (i == 0) return std::nullopt;
            parts[i] = 0;
            break;
        }
        at = next;
        if (at == end || *at != '.') break;
        ++at;
    }
    return Version{parts[0], parts[1], parts[2]};
}

}  // namespace ov
