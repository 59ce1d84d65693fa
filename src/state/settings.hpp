// The operator's settings (`cli-and-config.md` 4.3): CONFIG/ov/config.yml, overridden by the environment.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ov/yaml.hpp"

namespace ov::state {

/// One setting that this program obeys.
struct SettingRow {
    std::string_view key, variable, fallback;
    std::string_view allowed;  ///< "a|b|c", or "size", "size or empty", "integer"
    std::string_view help;
};
std::span<const SettingRow> setting_rows();

class Settings {
public:
    /// The file; none is an empty one. Throws SpecError for what is no mapping of scalars, Error{io}. Blocks.
    static Settings load(const std::string& path, const std::map<std::string, std::string>& environment);
    /// `load` of the user's file with the environment of this process.
    static Settings load(const std::string& path);

    struct Value {
        std::string text;
        std::string from;  ///< "default", the file's path, or the variable
    };
    /// Environment over file over default. Throws Error{usage} naming variable or file for a value that is not allowed, and
    /// Error{not_found} for a key that is none. `hosts.<alias>` has no default.
    Value value(std::string_view key) const;
    std::string get(std::string_view key) const { return value(key).text; }
    /// The value unless it is the default.
    std::string given(std::string_view key) const;
    /// What `hosts.<alias>` says.
    std::optional<std::string> host(std::string_view alias) const;
    /// Keys of the table and `hosts.<alias>` of the file.
    std::vector<std::string> keys() const;

    /// Validates, then writes. nullopt: takes it out. Both block and hold the file's lock.
    static void set(const std::string& path, std::string_view key, const std::optional<std::string>& value);
    static void reset_all(const std::string& path);

private:
    std::optional<std::string> stored(std::string_view key) const;

    std::string path_;
    YamlPtr root_;
    std::map<std::string, std::string> environment_;
};

}  // namespace ov::state
