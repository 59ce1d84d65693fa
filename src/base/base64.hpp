// Base64 with the standard alphabet, padded, without line breaks.
#pragma once

#include <string>
#include <string_view>

namespace ov {

std::string base64(std::string_view bytes);

}  // namespace ov
