// Spellings of the deploy user's home, and the variables that path fields may name.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace ov::plan {

/// A leading "~/" or the whole text "~", every "${HOME}" and every "$HOME" that no identifier character follows become the
/// home token (`layer-format.md` 6, W30).
std::string tokenise_home(std::string_view text);

/// Replaces `${NAME}` and `$NAME` for the names in `variables`; all others stay.
std::string expand_variables(std::string_view text, const std::map<std::string, std::string>& variables);

/// The first `${NAME}` in a text, without the braces, or empty.
std::string first_variable(std::string_view text);

}  // namespace ov::plan
