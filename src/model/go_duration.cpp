#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "ov/check.hpp"

namespace ov {

using std::chrono::nanoseconds;

std::optional<nanoseconds> parse_go_duration(std::string_view text) {
    bool negative = false;
    if (text.starts_with('-') || text.starts_with('+')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    if (text == "0") return nanoseconds{0};
    if (text.empty()) return std::nullopt;
    struct Unit {
        std::string_view name;
        double length;
    };
    // Longer names first: "ms" is not "m" and a rest.
    static constexpr Unit units[] = {{"ns", 1},   {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3},
                                     {"ms", 1e6}, {"s", 1e9},  {"m", 60e9}, {"h", 3600e9}};
    double total = 0;
    while (!text.empty()) {
        const std::size_t end = text.find_first_not_of("0123456789.");
        if (end == 0 || end == std::string_view::npos) return std::nullopt;
        std::string digits(text.substr(0, end));
        if (digits == "." || digits.find('.') != digits.rfind('.')) return std::nullopt;
        if (digits.front() == '.') digits.insert(0, "0");
        double value = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        text.remove_prefix(end);
        const Unit* unit = nullptr;
        for (const Unit& one : units)
            if (text.starts_with(one.name)) {
                unit = &one;
                break;
            }
        if (unit == nullptr) return std::nullopt;
        text.remove_prefix(unit->name.size());
        total += value * unit->length;
    }
    if (total > 9e18) return std::nullopt;
    return nanoseconds{static_cast<std::int64_t>(std::llround(negative ? -total : total))};
}

std::string format_go_duration(nanoseconds value) {
    const auto ms = std::chrono::round<std::chrono::milliseconds>(value).count();
    if (ms == 0) return "0s";
    if (ms < 1000) return fmt::format("{}ms", ms);
    const auto seconds = ms / 1000, rest = ms % 1000;
    std::string text;
    if (seconds >= 3600) text += fmt::format("{}h", seconds / 3600);
    if (seconds >= 60) text += fmt::format("{}m", seconds / 60 % 60);
    text += std::to_string(seconds % 60);
    if (rest != 0) {
        std::string part = fmt::format(".{:03d}", rest);
        part.erase(part.find_last_not_of('0') + 1);
        text += part;
    }
    return text + "s";
}

}  // namespace ov
