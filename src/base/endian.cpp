#include "base/endian.hpp"

#include <algorithm>

namespace ov {

std::uint32_t big_endian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
    return value;
}

std::uint32_t little_endian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) value = value << 8U | static_cast<unsigned char>(*byte);
    return value;
}

std::string little_endian(std::uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i, value >>= 8U) out += static_cast<char>(value & 0xFFU);
    return out;
}

std::string big_endian(std::uint32_t value, int bytes) {
    std::string out = little_endian(value, bytes);
    std::ranges::reverse(out);
    return out;
}

}  // namespace ov
