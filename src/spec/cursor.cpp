#include "spec/cursor.hpp"

#include <algorithm>
#include <charconv>

#include "base/near_name.hpp"

namespace ov::spec {

namespace {

/// What a value looks like to its author, short enough for one line.
std::string shown(const YamlNode& node) {
    if (!node.is_scalar()) return std::string(kind_name(node));
    std::string text = node.text.substr(0, node.text.find('\n'));
    if (text.size() > 40) {
        std::size_t cut = 40;
        while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
        text.resize(cut);
    }
    if (text.size() < node.text.size()) text += "...";
    return "'" + text + "'";
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::string join_path(std::string_view base, std::string_view key) {
    std::string path(base);
    if (!path.empty()) path += '.';
    const bool bare = !key.empty() && key.find_first_of(" .[]\"'\t\n") == std::string_view::npos;
    if (bare)
        path += key;
    else
        path += fmt::format("\"{}\"", key);
    return path;
}

void Cursor::expected(std::string_view what) const {
    error(fmt::format("expected {}, got {}", what, shown(*node_)));
}

std::string Cursor::text() const {
    if (node_->is_scalar()) return node_->text;
    if (!node_->is_null()) expected("a text");
    return {};
}

std::optional<bool> Cursor::boolean() const {
    if (node_->is_null()) return std::nullopt;
    if (node_->is_scalar() && node_->plain) {
        for (const std::string_view word : {"true", "yes", "on"})
            if (equals_ignoring_case(node_->text, word)) return true;
        for (const std::string_view word : {"false", "no", "off"})
            if (equals_ignoring_case(node_->text, word)) return false;
    }
    expected("true or false");
    return std::nullopt;
}

std::optional<long long> Cursor::integer() const {
    if (node_->is_null()) return std::nullopt;
    const std::string& text = node_->text;
    if (node_->is_scalar() && node_->plain && !text.empty()) {
        const std::size_t digits = text.front() == '-' || text.front() == '+' ? 1 : 0;
        const bool all_digits = text.size() > digits && text.find_first_not_of("0123456789", digits) == std::string::npos;
        if (all_digits && text.size() > digits + 1 && text[digits] == '0') {
            error(fmt::format("'{}' starts with 0: YAML readers disagree whether it is octal; write it without the zero", text));
            return std::nullopt;
        }
        long long value = 0;
        const char* first = text.data() + (text.front() == '+' ? 1 : 0);
        const auto [end, failure] = std::from_chars(first, text.data() + text.size(), value);
        if (all_digits && failure == std::errc() && end == text.data() + text.size()) return value;
    }
    expected("an integer");
    return std::nullopt;
}

std::vector<Cursor> Cursor::items() const {
    std::vector<Cursor> all;
    if (node_->is_null()) return all;
    if (!node_->is_sequence()) {
        expected("a list");
        return all;
    }
    all.reserve(node_->items.size());
    for (std::size_t i = 0; i < node_->items.size(); ++i)
        all.emplace_back(node_->items[i], fmt::format("{}[{}]", path_, i), *report_);
    return all;
}

std::vector<std::pair<std::string, Cursor>> Cursor::entries() const {
    std::vector<std::pair<std::string, Cursor>> all;
    if (node_->is_null()) return all;
    if (!node_->is_map()) {
        expected("a mapping");
        return all;
    }
    all.reserve(node_->entries.size());
    for (const YamlEntry& entry : node_->entries)
        all.emplace_back(entry.key, Cursor(entry.value, join_path(path_, entry.key), *report_));
    return all;
}

std::vector<std::string> Cursor::text_list() const {
    std::vector<std::string> all;
    for (const Cursor& item : items()) all.push_back(item.text());
    return all;
}

std::map<std::string, std::string> Cursor::text_map() const {
    std::map<std::string, std::string> all;
    for (const auto& [key, value] : entries()) all.insert_or_assign(key, value.text());
    return all;
}

MapReader::MapReader(const Cursor& map) : map_(map), taken_(map.node().entries.size(), false) {
    if (!map.node().is_map() && !map.node().is_null()) map.expected("a mapping");
}

Cursor MapReader::child(const YamlEntry& entry) const {
    return {entry.value, join_path(map_.path(), entry.key), map_.report()};
}

std::optional<Cursor> MapReader::take(std::string_view key) {
    known_.emplace_back(key);
    const auto& entries = map_.node().entries;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].key != key) continue;
        taken_[i] = true;
        return child(entries[i]);
    }
    return std::nullopt;
}

std::string MapReader::text(std::string_view key) {
    const auto value = take(key);
    return value ? value->text() : std::string();
}

bool MapReader::boolean(std::string_view key, bool fallback) {
    const auto value = take(key);
    return value ? value->boolean().value_or(fallback) : fallback;
}

std::vector<std::string> MapReader::text_list(std::string_view key) {
    const auto value = take(key);
    return value ? value->text_list() : std::vector<std::string>();
}

std::map<std::string, std::string> MapReader::text_map(std::string_view key) {
    const auto value = take(key);
    return value ? value->text_map() : std::map<std::string, std::string>();
}

std::vector<std::pair<YamlEntry, Cursor>> MapReader::rest() const {
    std::vector<std::pair<YamlEntry, Cursor>> all;
    const auto& entries = map_.node().entries;
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (!taken_[i]) all.emplace_back(entries[i], child(entries[i]));
    return all;
}

void MapReader::warn_unknown(const YamlEntry& entry) const {
    map_.report().add(Severity::warning, entry.line, entry.column, join_path(map_.path(), entry.key),
                      "unknown key, ignored" + did_you_mean(entry.key, known_));
}

void MapReader::finish() const {
    for (const auto& [entry, value] : rest()) warn_unknown(entry);
}

}  // namespace ov::spec
