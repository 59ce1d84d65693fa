// Reads YAML text into trees with places. The only reader of YAML in the program, so that every file gets the same rules:
// duplicate keys, tags, NUL bytes and complex keys are findings, merge keys are expanded, aliases are bounded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/yaml.hpp"

namespace ov::spec {

/// All documents of one stream; an empty or comment-only text has none. Findings are appended; when one of them is an
/// error the documents are what could be read, good enough to look for more findings.
std::vector<YamlPtr> parse_yaml(std::string_view text, const std::string& file, std::vector<Diagnostic>& findings);

/// The file's text. Throws Error{not_found} or Error{io}, naming the path.
std::string read_text_file(const std::string& path);

}  // namespace ov::spec
