#include "ov/vm/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace ov::vm {

namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_word(std::string_view text, std::string_view word) noexcept {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) { return lower(a) == b; });
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Bytes of "", "k", "KB", "KiB"...; nothing for any other suffix.
std::optional<std::uint64_t> unit_bytes(std::string_view unit, SizeUnit bare) noexcept {
    if (unit.empty()) return static_cast<std::uint64_t>(bare);
    constexpr std::string_view letters = "bkmgtp";
    const std::size_t power = letters.find(lower(unit.front()));
    if (power == std::string_view::npos) return std::nullopt;
    const std::string_view rest = unit.substr(1);
    if (!rest.empty() && (power == 0 || (!equals_word(rest, "b") && !equals_word(rest, "ib")))) return std::nullopt;
    return std::uint64_t{1} << (10 * power);
}

/// All of `text` as digits of `base`.
std::optional<std::uint64_t> whole_number(std::string_view text, int base) noexcept {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value, base);
    if (text.empty() || failure != std::errc() || stop != end) return std::nullopt;
    return value;
}

bool has_hex_prefix(std::string_view text) noexcept {
    return text.size() > 2 && text[0] == '0' && lower(text[1]) == 'x';
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text, SizeUnit bare) noexcept {
    // Nothing that measures a machine reaches 2^63 bytes; the limit keeps every later conversion safe.
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    std::size_t at = 0;
    while (at < text.size() && is_digit(text[at])) ++at;
    const auto whole = whole_number(text.substr(0, at), 10);
    if (!whole) return std::nullopt;
    std::string_view fraction;
    if (at < text.size() && text[at] == '.') {
        const std::size_t begin = ++at;
        while (at < text.size() && is_digit(text[at])) ++at;
        fraction = text.substr(begin, at - begin);
        if (fraction.empty()) return std::nullopt;
        while (fraction.ends_with('0')) fraction.remove_suffix(1);
    }
    std::string_view unit = text.substr(at);
    if (unit.starts_with(' ')) unit.remove_prefix(1);
    if (unit.empty() && at < text.size()) return std::nullopt;  // a blank and nothing behind it
    const auto multiple = unit_bytes(unit, bare);
    if (!multiple || *whole > most / *multiple) return std::nullopt;
    std::uint64_t bytes = *whole * *multiple;
    if (!fraction.empty()) {
        // digits / 10^n of a power of two: the twos of 10^n cancel against the unit, the fives must divide the digits.
        const auto digits = whole_number(fraction, 10);
        if (!digits || fraction.size() > 15) return std::nullopt;
        std::uint64_t divisor = 1, unit_left = *multiple;
        for (std::size_t i = 0; i < fraction.size(); ++i) divisor *= 10;
        while (divisor % 2 == 0 && unit_left % 2 == 0) {
            divisor /= 2;
            unit_left /= 2;
        }
        if (*digits % divisor != 0) return std::nullopt;
        bytes += *digits / divisor * unit_left;
    }
    if (bytes == 0 || bytes > most) return std::nullopt;
    return bytes;
}

std::optional<bool> parse_flag(std::string_view text) noexcept {
    for (const std::string_view word : {"true", "yes", "on"})
        if (equals_word(text, word)) return true;
    for (const std::string_view word : {"false", "no", "off"})
        if (equals_word(text, word)) return false;
    return std::nullopt;
}

std::string_view on_off(std::string_view text) noexcept {
    const auto flag = parse_flag(text);
    return !flag ? "" : *flag ? "on" : "off";
}

std::string_view yes_no(std::string_view text) noexcept {
    const auto flag = parse_flag(text);
    return !flag ? "" : *flag ? "yes" : "no";
}

std::optional<std::uint32_t> parse_pci_number(std::string_view text) noexcept {
    const bool hex = has_hex_prefix(text);
    if (!hex && (text.size() != 1 || !is_digit(text.front()))) return std::nullopt;
    const auto value = whole_number(hex ? text.substr(2) : text, 16);
    if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return static_cast<std::uint32_t>(*value);
}

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
    return has_hex_prefix(text) ? whole_number(text.substr(2), 16) : whole_number(text, 10);
}

}  // namespace ov::vm
