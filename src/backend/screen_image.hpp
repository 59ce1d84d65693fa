// A picture of a screen and its file forms.
#pragma once

#include <string>
#include <string_view>

namespace ov {

struct ScreenImage {
    unsigned width = 0, height = 0;
    std::string rgb;  ///< three bytes a pixel, rows from the top
};

/// A binary PPM; a PNG when the file's name ends so.
std::string encode_image(const ScreenImage& image, std::string_view file_name);

}  // namespace ov
