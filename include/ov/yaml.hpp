// A YAML value with the place of every part, independent of the parser that read it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ov {

struct YamlNode;
/// Shared and immutable: an alias and its anchor share their children.
using YamlPtr = std::shared_ptr<const YamlNode>;

/// One key of a mapping. Keys are scalars; anything else is a finding of the parser.
struct YamlEntry;

struct YamlNode {
    enum class Kind { null, scalar, sequence, map };

    Kind kind = Kind::null;
    bool plain = true;  ///< a scalar without quotes: only these can be numbers, booleans or null
    int line = 0;       ///< from 1, where the value (for an alias: the alias) stands
    int column = 0;
    std::string text;                ///< scalar: the source text of a plain scalar, the content of any other
    std::vector<YamlPtr> items;      ///< sequence
    std::vector<YamlEntry> entries;  ///< map, in file order, merge keys expanded

    bool is_null() const noexcept { return kind == Kind::null; }
    bool is_scalar() const noexcept { return kind == Kind::scalar; }
    bool is_sequence() const noexcept { return kind == Kind::sequence; }
    bool is_map() const noexcept { return kind == Kind::map; }

    /// The value under `key`, or nullptr when this is no mapping or has no such key.
    const YamlNode* find(std::string_view key) const noexcept;
};

struct YamlEntry {
    std::string key;
    int line = 0;
    int column = 0;
    YamlPtr value;
};

/// Same value: kinds, text and nesting; mappings compare without order, places and quotes do not count, but a quoted
/// scalar differs from a plain one that reads as a number, a boolean or null.
bool equal_values(const YamlNode& a, const YamlNode& b);

/// "null", "text", "list", "mapping", for messages.
std::string_view kind_name(const YamlNode& node) noexcept;

}  // namespace ov
