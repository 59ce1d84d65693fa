// The pixels of a picture in a file, for the rules about artifacts of checks: PPM and PNG.
#pragma once

#include <optional>
#include <string>

namespace ov {

struct Pixels {
    std::size_t width = 0, height = 0;
    std::size_t each = 0;  ///< bytes of a pixel
    std::string bytes;     ///< rows from the top, each of width * each bytes
};

/// Nothing: it is no picture, it is cut, or its form is not one that is read here (PNG: 8 bits a channel, not interlaced).
std::optional<Pixels> pixels_in(const std::string& file);

}  // namespace ov
