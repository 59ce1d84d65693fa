#include "deploy/pixels.hpp"

#include <zlib.h>

#include <cstdlib>
#include <sstream>
#include <string_view>

#include "base/endian.hpp"

namespace ov {

namespace {

/// A picture that is larger is not read: its header may lie.
constexpr std::size_t longest_side = 16384;

bool sensible(const Pixels& pixels) {
    return pixels.width > 0 && pixels.height > 0 && pixels.width <= longest_side && pixels.height <= longest_side;
}

std::optional<Pixels> ppm(const std::string& file) {
    std::istringstream words(file.substr(2, 64));
    Pixels pixels;
    unsigned most = 0;
    if (!(words >> pixels.width >> pixels.height >> most) || most > 255 || !sensible(pixels)) return std::nullopt;
    if (words.eof()) return std::nullopt;  // no space and no data after the header
    const std::size_t start = static_cast<std::size_t>(words.tellg()) + 3;
    pixels.each = 3;
    const std::size_t size = pixels.each * pixels.width * pixels.height;
    if (file.size() < start + size) return std::nullopt;
    pixels.bytes = file.substr(start, size);
    return pixels;
}

/// Bytes of a pixel by colour type: grey, colours, an index into a palette, grey or colours with transparency.
std::size_t channels(char type) {
    constexpr std::size_t by_type[] = {1, 0, 3, 1, 2, 0, 4};
    return type >= 0 && type <= 6 ? by_type[static_cast<std::size_t>(type)] : 0;
}

int paeth(int left, int above, int corner) {
    const int by_left = std::abs(above - corner), by_above = std::abs(left - corner),
              by_corner = std::abs(left + above - 2 * corner);
    if (by_left <= by_above && by_left <= by_corner) return left;
    return by_above <= by_corner ? above : corner;
}

/// Undoes the filter of every row. False for a filter that there is not.
bool unfilter(std::string_view raw, Pixels& pixels) {
    const std::size_t length = pixels.width * pixels.each;
    pixels.bytes.assign(length * pixels.height, '\0');
    for (std::size_t y = 0; y < pixels.height; ++y) {
        const char filter = raw[y * (length + 1)];
        if (filter < 0 || filter > 4) return false;
        for (std::size_t x = 0; x < length; ++x) {
            const auto at = [&](bool is_left, bool is_above) {
                if ((is_left && x < pixels.each) || (is_above && y == 0)) return 0;
                const std::size_t from = (y - (is_above ? 1 : 0)) * length + x - (is_left ? pixels.each : 0);
                return int{static_cast<unsigned char>(pixels.bytes[from])};
            };
            const int left = at(true, false), above = at(false, true), corner = at(true, true);
            const int guess[] = {0, left, above, (left + above) / 2, paeth(left, above, corner)};
            pixels.bytes[y * length + x] =
                static_cast<char>(raw[y * (length + 1) + 1 + x] + guess[static_cast<std::size_t>(filter)]);
        }
    }
    return true;
}

std::optional<Pixels> png(std::string_view file) {
    Pixels pixels;
    std::string packed;
    for (std::size_t at = 8; at + 12 <= file.size();) {
        const std::size_t size = big_endian(file.substr(at, 4));
        const std::string_view type = file.substr(at + 4, 4);
        if (size > file.size() - at - 12) return std::nullopt;
        const std::string_view data = file.substr(at + 8, size);
        if (type == "IHDR" && size == 13) {
            pixels.width = big_endian(data.substr(0, 4));
            pixels.height = big_endian(data.substr(4, 4));
            if (data[8] != 8 || data[12] != 0) return std::nullopt;
            pixels.each = channels(data[9]);
        }
        if (type == "IDAT") packed += data;
        at += size + 12;
    }
    if (!sensible(pixels) || pixels.each == 0) return std::nullopt;
    std::string raw((pixels.width * pixels.each + 1) * pixels.height, '\0');
    uLongf length = raw.size();
    const int done =
        ::uncompress(reinterpret_cast<Bytef*>(raw.data()), &length, reinterpret_cast<const Bytef*>(packed.data()), packed.size());
    if (done != Z_OK || length != raw.size() || !unfilter(raw, pixels)) return std::nullopt;
    return pixels;
}

}  // namespace

std::optional<Pixels> pixels_in(const std::string& file) {
    if (file.starts_with("P6")) return ppm(file);
    if (file.starts_with("\x89PNG")) return png(file);
    return std::nullopt;
}

}  // namespace ov
