// "Did you mean": the known name nearest to one that nothing answers to.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ov {

/// Nearest of `known` by edit distance (insert, delete, replace, swap of neighbours), if it is near enough to be a typing
/// mistake: at most a third of the longer text, and at least one character in common. Ties: the first in `known`.
std::optional<std::string> near_name(std::string_view name, std::span<const std::string> known);
std::optional<std::string> near_name(std::string_view name, std::span<const std::string_view> known);

/// `; did you mean "x"?` or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);

}  // namespace ov
