#include "backend/screen_image.hpp"

#include <fmt/format.h>

#include "base/endian.hpp"

namespace ov {

namespace {

std::uint32_t crc32_of(std::string_view bytes) {
    std::uint32_t crc = ~0U;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1U ^ 0xEDB88320U : crc >> 1U;
    }
    return ~crc;
}

std::uint32_t adler32_of(std::string_view bytes) {
    std::uint32_t low = 1, high = 0;
    for (const char byte : bytes) {
        low = (low + static_cast<unsigned char>(byte)) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16U | low;
}

std::string chunk(std::string_view type, std::string_view data) {
    const std::string body = std::string(type) + std::string(data);
    return big_endian(static_cast<std::uint32_t>(data.size()), 4) + body + big_endian(crc32_of(body), 4);
}

/// A zlib stream of stored blocks: no compression, no library.
std::string stored(std::string_view bytes) {
    std::string out = "\x78\x01";
    const std::uint32_t sum = adler32_of(bytes);
    do {
        const std::string_view block = bytes.substr(0, 65535);
        bytes.remove_prefix(block.size());
        const auto size = static_cast<std::uint32_t>(block.size());
        out += bytes.empty() ? '\1' : '\0';
        out += little_endian(size, 2) + little_endian(~size, 2);
        out += block;
    } while (!bytes.empty());
    return out + big_endian(sum, 4);
}

std::string png(const ScreenImage& image) {
    std::string rows;
    for (std::size_t y = 0; y < image.height; ++y) {
        rows += '\0';  // no filter
        rows += image.rgb.substr(y * image.width * 3, std::size_t{3} * image.width);
    }
    const std::string eight_bit_rgb("\x08\x02\x00\x00\x00", 5);
    return "\x89PNG\r\n\x1A\n" + chunk("IHDR", big_endian(image.width, 4) + big_endian(image.height, 4) + eight_bit_rgb) +
           chunk("IDAT", stored(rows)) + chunk("IEND", "");
}

}  // namespace

std::string encode_image(const ScreenImage& image, std::string_view file_name) {
    if (file_name.ends_with(".png")) return png(image);
    return fmt::format("P6\n{} {}\n255\n", image.width, image.height) + image.rgb;
}

}  // namespace ov
