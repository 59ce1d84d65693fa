// Small questions about text that is shown to people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ov {

/// The last lines that are not empty, without the newline at the end: what a program said before it gave up.
std::string last_lines(std::string_view text, std::size_t count = 8);

}  // namespace ov
