// The operator's settings, CONFIG/ov/config.yml (`cli-and-config.md` 4.3): read, never written here.
#pragma once

#include <string>

namespace ov::state {

/// The text of `section: {key: text}`, also written `section.key: text`; empty when file, section or key is absent. Throws
/// SpecError for a file that is no YAML, Error{spec_invalid} naming the key for a value that is no text. Blocks.
std::string setting_of(const std::string& file, const std::string& section, const std::string& key);

}  // namespace ov::state
