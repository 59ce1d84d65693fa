// Values inside checks: what YAML wrote as the text that is compared, and lists of matchers.
#pragma once

#include "ov/check.hpp"
#include "spec/cursor.hpp"

namespace ov::spec {

/// Integers in decimal, floats as short as possible without exponent, `true`/`false`, null as nothing; lists and mappings as
/// compact JSON.
std::string check_text(const YamlNode& node);

/// `bare`: what a value without an operator means.
std::vector<Matcher> decode_matchers(const Cursor& value, MatchOperator bare);

}  // namespace ov::spec
