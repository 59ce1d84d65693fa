// Decoding with places: a cursor knows its value, its path and the file; it reports what is wrong and goes on, so that one
// run shows every finding.
#pragma once

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/yaml.hpp"

namespace ov::spec {

/// Where findings of one file go.
struct Report {
    std::string file;
    std::vector<Diagnostic>& findings;

    void add(Severity severity, int line, int column, std::string path, std::string message) {
        findings.push_back({{file, line, column}, std::move(path), std::move(message), severity});
    }
};

class Cursor {
public:
    /// `node` and `report` must outlive the cursor.
    Cursor(YamlPtr node, std::string path, Report& report) : node_(std::move(node)), path_(std::move(path)), report_(&report) {}

    const YamlNode& node() const noexcept { return *node_; }
    const YamlPtr& share() const noexcept { return node_; }
    const std::string& path() const noexcept { return path_; }
    SourcePosition where() const { return {report_->file, node_->line, node_->column}; }
    Report& report() const noexcept { return *report_; }

    void error(std::string message) const {
        report_->add(Severity::error, node_->line, node_->column, path_, std::move(message));
    }
    void warning(std::string message) const {
        report_->add(Severity::warning, node_->line, node_->column, path_, std::move(message));
    }
    /// "expected X, got Y".
    void expected(std::string_view what) const;

    /// Readers: a value of another kind is a finding and gives the empty value.
    std::string text() const;  ///< null is the empty text
    std::optional<bool> boolean() const;
    std::optional<long long> integer() const;
    std::vector<std::string> text_list() const;
    std::map<std::string, std::string> text_map() const;

    /// The items of a list; null has none.
    std::vector<Cursor> items() const;
    /// The entries of a mapping, in file order; null has none.
    std::vector<std::pair<std::string, Cursor>> entries() const;

    template <class E, std::size_t N>
    std::optional<E> one_of(const std::array<std::pair<std::string_view, E>, N>& names) const {
        std::string list;
        for (const auto& [name, value] : names) {
            if (node_->is_scalar() && node_->text == name) return value;
            list += (list.empty() ? "" : "|") + std::string(name);
        }
        expected("one of " + list);
        return std::nullopt;
    }

private:
    YamlPtr node_;
    std::string path_;
    Report* report_;
};

/// Reads a mapping key by key. `finish` warns about the keys nobody asked for, naming the nearest one that somebody did.
class MapReader {
public:
    explicit MapReader(const Cursor& map);

    const Cursor& cursor() const noexcept { return map_; }
    bool has(std::string_view key) const noexcept { return map_.node().find(key) != nullptr; }

    /// The value under `key` if it is there, null values included. The key counts as known from now on.
    std::optional<Cursor> take(std::string_view key);

    std::string text(std::string_view key);
    bool boolean(std::string_view key, bool fallback = false);
    std::vector<std::string> text_list(std::string_view key);
    std::map<std::string, std::string> text_map(std::string_view key);

    /// Entries that nobody took so far, in file order.
    std::vector<std::pair<YamlEntry, Cursor>> rest() const;
    /// Marks a key as known without reading it.
    void ignore(std::string_view key) { take(key); }
    void warn_unknown(const YamlEntry& entry) const;
    void finish() const;

private:
    Cursor child(const YamlEntry& entry) const;

    Cursor map_;
    std::vector<std::string> known_;
    std::vector<bool> taken_;
};

/// A list of mappings: `read` takes the keys of one item, the rest are warned about.
template <class T, class Read>
std::vector<T> decode_each(const Cursor& list, Read read) {
    std::vector<T> all;
    for (const Cursor& item : list.items()) {
        MapReader reader(item);
        all.push_back(read(reader));
        reader.finish();
    }
    return all;
}

/// `base.key`, with the key quoted where it would read as a path itself.
std::string join_path(std::string_view base, std::string_view key);

}  // namespace ov::spec
