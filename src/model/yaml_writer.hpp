// YAML text of a value: block style, four spaces, quoted only where another reader could take the text for something else.
#pragma once

#include <string>

#include "ov/yaml.hpp"

namespace ov {

/// Reading the text back gives an equal value (`equal_values`).
std::string write_yaml(const YamlNode& root);

/// Building blocks for edits.
YamlPtr yaml_text(std::string text);
YamlPtr yaml_integer(long long value);
YamlPtr yaml_boolean(bool value);
YamlPtr yaml_map(std::vector<std::pair<std::string, YamlPtr>> entries);
YamlPtr yaml_list(const std::vector<std::string>& texts);
/// Replaces the value under `key`, or puts it behind the others.
void set_yaml_entry(YamlNode& map, std::string_view key, YamlPtr value);

/// The value under `key`, to be shared; nullptr when `map` is none or has no such key. Its text; empty without one.
YamlPtr yaml_entry(const YamlPtr& map, std::string_view key);
std::string yaml_entry_text(const YamlPtr& map, std::string_view key);

}  // namespace ov
