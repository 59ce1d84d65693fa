// Small readers of what probes print, shared by the files that judge answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ov::check_text {

std::string_view trimmed(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::vector<std::string> words(std::string_view text);
/// The first line; the rest stays in `text`.
std::string take_line(std::string_view& text);
const char* yes_no(bool value);
bool is_number(std::string_view text);

}  // namespace ov::check_text
