#include "backend/key_symbols.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::uint32_t shift = 0xFFE1;

constexpr std::pair<std::string_view, std::uint32_t> named_keys[] = {
    {"return", 0xFF0D},   {"enter", 0xFF0D},     {"ret", 0xFF0D},       {"escape", 0xFF1B},    {"esc", 0xFF1B},
    {"tab", 0xFF09},      {"space", 0x20},       {"backspace", 0xFF08}, {"delete", 0xFFFF},    {"del", 0xFFFF},
    {"insert", 0xFF63},   {"home", 0xFF50},      {"left", 0xFF51},      {"up", 0xFF52},        {"right", 0xFF53},
    {"down", 0xFF54},     {"page_up", 0xFF55},   {"pageup", 0xFF55},    {"pgup", 0xFF55},      {"page_down", 0xFF56},
    {"pagedown", 0xFF56}, {"pgdn", 0xFF56},      {"end", 0xFF57},       {"print", 0xFF61},     {"pause", 0xFF13},
    {"menu", 0xFF67},     {"caps_lock", 0xFFE5}, {"num_lock", 0xFF7F},  {"shift", shift},      {"shift_l", shift},
    {"shift_r", 0xFFE2},  {"ctrl", 0xFFE3},      {"control", 0xFFE3},   {"control_l", 0xFFE3}, {"control_r", 0xFFE4},
    {"meta", 0xFFE7},     {"alt", 0xFFE9},       {"alt_l", 0xFFE9},     {"alt_r", 0xFFEA},     {"super", 0xFFEB},
    {"super_l", 0xFFEB},  {"minus", 0x2D},       {"plus", 0x2B}};

/// The first character; `text` moves behind it. Bytes that are no UTF-8 count as Latin-1.
std::uint32_t next_character(std::string_view& text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    if (length == 1 || text.size() < length) {
        text.remove_prefix(1);
        return first;
    }
    std::uint32_t character = first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) character = character << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
    text.remove_prefix(length);
    return character;
}

/// Latin-1 is its own keysym; what is beyond has a range of its own.
std::uint32_t symbol_of(std::uint32_t character) {
    if (character == '\n' || character == '\r') return 0xFF0D;
    if (character == '\t') return 0xFF09;
    return character < 0x100 ? character : 0x01000000U | character;
}

/// Nothing (0) for a word that names no key.
std::uint32_t named(std::string_view word) {
    std::string lower(word);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (lower == "kp_enter") return 0xFF8D;
    for (const auto& [name, symbol] : named_keys)
        if (name == lower) return symbol;
    unsigned number = 0;
    const char* end = lower.data() + lower.size();
    if (lower.size() > 1 && lower.front() == 'f' && std::from_chars(lower.data() + 1, end, number).ptr == end && number >= 1 &&
        number <= 24)
        return 0xFFBD + number;
    std::string_view rest = word;
    const std::uint32_t character = next_character(rest);
    return rest.empty() ? symbol_of(character) : 0;
}

}  // namespace

std::vector<std::uint32_t> key_symbols(std::string_view combination) {
    std::vector<std::uint32_t> all;
    for (std::string_view rest = combination; !rest.empty();) {
        // A separator that begins a word is the key itself.
        const std::size_t end = rest.find_first_of("+-", 1);
        const std::string_view word = rest.substr(0, end);
        const std::uint32_t symbol = named(word);
        if (symbol == 0) throw Error(Errc::usage, fmt::format("key {}: '{}' names no key", combination, word));
        all.push_back(symbol);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (all.empty()) throw Error(Errc::usage, "key: no key is named");
    return all;
}

std::vector<std::vector<std::uint32_t>> typed_symbols(std::string_view text) {
    constexpr std::string_view shifted = "~!@#$%^&*()_+{}|:\"<>?";
    std::vector<std::vector<std::uint32_t>> all;
    while (!text.empty()) {
        const std::uint32_t character = next_character(text);
        const bool upper = character >= 'A' && character <= 'Z';
        const bool sign = character < 0x80 && shifted.find(static_cast<char>(character)) != std::string_view::npos;
        if (upper || sign)
            all.push_back({shift, symbol_of(character)});
        else
            all.push_back({symbol_of(character)});
    }
    return all;
}

}  // namespace ov
