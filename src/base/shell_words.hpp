// A command line that a person wrote, as its words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ov {

/// Splits as a POSIX shell would, without expanding anything. Nothing when a quote is not closed.
std::optional<std::vector<std::string>> shell_words(std::string_view line);

}  // namespace ov
