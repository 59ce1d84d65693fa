// Base64 with the standard alphabet, padded, without line breaks.
#pragma once

#include <string>
#include <string_view>

namespace ov {

std::string base64(std::string_view bytes);
/// Empty for a text that is no Base64.
std::string from_base64(std::string_view text);

}  // namespace ov
