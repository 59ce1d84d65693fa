// Rules for names that people give to machines and deploys.
#pragma once

#include <string>
#include <string_view>

namespace ov {

inline constexpr std::string_view entity_name_rule = "1 to 64 of A-Z a-z 0-9 _ -, beginning with a letter or digit";

/// Entity and instance names (decisions 27).
bool is_valid_entity_name(std::string_view name) noexcept;

/// What is wrong with a deploy key, or empty: non-empty, no ".", at most one "/", no white space. A dotted `vm:` entity or
/// instance is refused by the same rule.
std::string deploy_key_problem(std::string_view key);

/// Layer names become file names on machines: `[A-Za-z0-9._-]+`, not "." or "..".
bool is_valid_layer_name(std::string_view name) noexcept;

}  // namespace ov
