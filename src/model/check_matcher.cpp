#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "ov/check.hpp"

namespace ov {
namespace {

constexpr std::array<std::string_view, 10> operator_names{"equals",      "not_equals", "contains", "not_contains", "matches",
                                                          "not_matches", "lt",         "le",       "gt",           "ge"};

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string_view without_line_end(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

std::optional<double> number(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool compares(MatchOperator op, double observed, double wanted) {
    switch (op) {
        case MatchOperator::lt:
            return observed < wanted;
        case MatchOperator::le:
            return observed <= wanted;
        case MatchOperator::gt:
            return observed > wanted;
        default:
            return observed >= wanted;
    }
}

bool is_numeric(MatchOperator op) {
    return op >= MatchOperator::lt;
}

std::optional<std::string> one_mismatch(const Matcher& matcher, std::string_view observed) {
    const std::string& value = matcher.values.front();
    switch (matcher.op) {
        case MatchOperator::equals:
            if (without_line_end(observed) == value) return std::nullopt;
            return fmt::format("expected exactly \"{}\"", value);
        case MatchOperator::not_equals:
            if (without_line_end(observed) != value) return std::nullopt;
            return fmt::format("expected NOT to equal \"{}\"", value);
        case MatchOperator::contains:
            for (const std::string& part : matcher.values)
                if (observed.find(part) == std::string_view::npos) return fmt::format("expected to contain \"{}\"", part);
            return std::nullopt;
        case MatchOperator::not_contains:
            for (const std::string& part : matcher.values)
                if (observed.find(part) != std::string_view::npos) return fmt::format("expected NOT to contain \"{}\"", part);
            return std::nullopt;
        case MatchOperator::matches:
        case MatchOperator::not_matches: {
            const RE2 pattern(value, RE2::Quiet);
            if (!pattern.ok()) return fmt::format("bad pattern /{}/: {}", value, pattern.error());
            const bool found = RE2::PartialMatch(re2::StringPiece(observed.data(), observed.size()), pattern);
            if (found == (matcher.op == MatchOperator::matches)) return std::nullopt;
            return fmt::format("expected {}to match /{}/", found ? "NOT " : "", value);
        }
        default:
            break;
    }
    const std::string_view name = to_string(matcher.op);
    const auto wanted = number(value), seen = number(observed);
    if (!wanted) return fmt::format("{} needs a number, got \"{}\"", name, value);
    if (!seen) return fmt::format("expected {} {}, but \"{}\" is no number", name, value, trimmed(observed));
    if (compares(matcher.op, *seen, *wanted)) return std::nullopt;
    return fmt::format("expected {} {} (got {})", name, value, trimmed(observed));
}

}  // namespace

std::string_view to_string(MatchOperator op) noexcept {
    return operator_names[static_cast<std::size_t>(op)];
}

std::optional<MatchOperator> match_operator(std::string_view word) noexcept {
    const auto found = std::ranges::find(operator_names, word);
    if (found == operator_names.end()) return std::nullopt;
    return static_cast<MatchOperator>(found - operator_names.begin());
}

std::string matcher_problem(const Matcher& matcher) {
    if (matcher.op == MatchOperator::matches || matcher.op == MatchOperator::not_matches) {
        const RE2 pattern(matcher.values.front(), RE2::Quiet);
        if (!pattern.ok()) return fmt::format("bad pattern /{}/: {}", matcher.values.front(), pattern.error());
    }
    if (is_numeric(matcher.op) && !number(matcher.values.front()) && matcher.values.front().find("${") == std::string::npos)
        return fmt::format("{} needs a number, got \"{}\"", to_string(matcher.op), matcher.values.front());
    return {};
}

std::optional<std::string> mismatch(std::span<const Matcher> matchers, std::string_view observed) {
    for (const Matcher& matcher : matchers)
        if (auto words = one_mismatch(matcher, observed)) return words;
    return std::nullopt;
}

}  // namespace ov
