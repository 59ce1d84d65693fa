#include "spec/check_values.hpp"

#include <charconv>

namespace ov::spec {
namespace {

std::string json_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out + '"';
}

enum class Plain { text, boolean, integer, decimal };

Plain plain_kind(const YamlNode& node) {
    if (!node.plain) return Plain::text;
    for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"})
        if (node.text == word) return Plain::boolean;
    const std::size_t first = node.text.find_first_not_of("+-");
    if (first == std::string::npos || first > 1) return Plain::text;
    const std::string_view rest = std::string_view(node.text).substr(first);
    if (rest.find_first_not_of("0123456789") == std::string_view::npos)
        return rest.size() > 1 && rest.front() == '0' ? Plain::text : Plain::integer;
    double value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    const bool digits = rest.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
    return digits && error == std::errc{} && end == rest.data() + rest.size() ? Plain::decimal : Plain::text;
}

/// In a matcher or a `matching` value; `inside`: as a part of JSON.
std::string value_text(const YamlNode& node, bool inside) {
    switch (node.kind) {
        case YamlNode::Kind::null:
            return inside ? "null" : "";
        case YamlNode::Kind::sequence: {
            std::string text;
            for (const YamlPtr& item : node.items) text += (text.empty() ? "" : ",") + value_text(*item, true);
            return "[" + text + "]";
        }
        case YamlNode::Kind::map: {
            std::string text;
            for (const YamlEntry& entry : node.entries)
                text += (text.empty() ? "" : ",") + json_string(entry.key) + ":" + value_text(*entry.value, true);
            return "{" + text + "}";
        }
        case YamlNode::Kind::scalar:
            break;
    }
    switch (plain_kind(node)) {
        case Plain::boolean:
            return node.text.front() == 't' || node.text.front() == 'T' ? "true" : "false";
        case Plain::integer:
            return node.text.front() == '+' ? node.text.substr(1) : node.text;
        case Plain::decimal: {
            double value = 0;
            const std::size_t plus = node.text.front() == '+' ? 1 : 0;
            std::from_chars(node.text.data() + plus, node.text.data() + node.text.size(), value);
            char digits[400];
            const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr;
            return {digits, end};
        }
        case Plain::text:
            break;
    }
    return inside ? json_string(node.text) : node.text;
}

void decode_matcher(const Cursor& item, MatchOperator bare, std::vector<Matcher>& out) {
    const YamlNode& node = item.node();
    if (node.is_sequence()) {
        item.error("a list inside a list: one operator and its values per entry");
        return;
    }
    if (!node.is_map()) {
        out.push_back({bare, {check_text(node)}});
        return;
    }
    if (node.entries.size() != 1) {
        std::string keys;
        for (const YamlEntry& entry : node.entries) keys += (keys.empty() ? "" : ", ") + entry.key;
        item.error(fmt::format("one operator per entry, got {}", keys.empty() ? "none" : keys));
        return;
    }
    const YamlEntry& entry = node.entries.front();
    const auto op = match_operator(entry.key);
    if (!op) {
        item.error(
            fmt::format("unknown operator {}; there are equals not_equals contains not_contains matches not_matches lt "
                        "le gt ge",
                        entry.key));
        return;
    }
    Matcher matcher{*op, {}};
    const bool several = *op == MatchOperator::contains || *op == MatchOperator::not_contains;
    if (entry.value->is_sequence() && several) {
        for (const YamlPtr& value : entry.value->items) matcher.values.push_back(check_text(*value));
        if (matcher.values.empty()) return;
    } else if (entry.value->is_sequence() || entry.value->is_map()) {
        item.error(fmt::format("{} takes one value", entry.key));
        return;
    } else {
        matcher.values.push_back(check_text(*entry.value));
    }
    if (const std::string problem = matcher_problem(matcher); !problem.empty()) item.error(problem);
    out.push_back(std::move(matcher));
}

}  // namespace

std::string check_text(const YamlNode& node) {
    return value_text(node, false);
}

std::vector<Matcher> decode_matchers(const Cursor& value, MatchOperator bare) {
    std::vector<Matcher> out;
    if (value.node().is_null()) return out;
    if (!value.node().is_sequence()) {
        decode_matcher(value, bare, out);
        return out;
    }
    for (const Cursor& item : value.items()) decode_matcher(item, bare, out);
    return out;
}

}  // namespace ov::spec
