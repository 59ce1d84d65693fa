// Building blocks of generated scripts: words, modes and absolute paths.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace ov {

/// One literal word: bare where no shell could take it for anything else, strictly quoted otherwise.
std::string script_word(std::string_view text);

/// `name word word...` and a newline. Trailing empty words are left out.
std::string script_call(std::string_view name, std::initializer_list<std::string_view> words);

/// One command that runs the lines in order until one fails; empty ones are left out.
std::string all_of(std::initializer_list<std::string_view> lines);

/// Four octal digits at least: "0644", "04755".
std::string octal_mode(unsigned mode);

/// The path without `.`, `..`, doubled and trailing slashes. Throws Error{spec_invalid} when it is not absolute.
std::string absolute_path(std::string_view path);

}  // namespace ov
