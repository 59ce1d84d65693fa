// Numbers as they stand in files and messages: the large end first, or the small one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ov {

/// Of all bytes, at most four.
std::uint32_t big_endian(std::string_view bytes);
std::uint32_t little_endian(std::string_view bytes);
std::string big_endian(std::uint32_t value, int bytes);
std::string little_endian(std::uint32_t value, int bytes);

}  // namespace ov
