#include "deploy/pixels.hpp"

#include <doctest/doctest.h>

using namespace ov;

namespace {

std::string bytes(std::string_view hex) {
    std::string out;
    for (std::size_t at = 0; at + 1 < hex.size(); at += 2)
        out += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
    return out;
}

/// 4x5 pixels in colours, a filter of its own for each row, the data in two pieces; and the pixels as they were before.
const std::string png = bytes(
    "89504e470d0a1a0a0000000d4948445200000004000000050802000000edcfda8c000000144944415478da014100beff007942bdf22106f0847762f0f353"
    "83808d000000384944415401cb4d76827a91d38a0e7abe74022779647d1c3d9be0fdabeee6030b7c2d30e44407fb4a84d6c6042356d2b15ca59880b81fba"
    "7600ba1f6344d8fec90000000049454e44ae426082");
const std::string plain = bytes(
    "7942bdf22106f0847762f0f3cb4d764dc7072051159a0f89f2c6dacae344bb311245fd6f84df9ad7c5b3d076ac0e8f53a7356c88913f20f6f72db022");

}  // namespace

TEST_CASE("pixels of a PNG: every filter is undone, whatever pieces the data comes in") {
    const auto pixels = pixels_in(png);
    REQUIRE(pixels.has_value());
    CHECK(pixels->width == 4);
    CHECK(pixels->height == 5);
    CHECK(pixels->each == 3);
    CHECK(pixels->bytes == plain);
}

TEST_CASE("pixels: of a PPM; nothing of what is cut, interlaced, deeper, larger than it can be, or no picture") {
    const std::string ppm = "P6\n4 5\n255\n" + plain;
    REQUIRE(pixels_in(ppm).has_value());
    CHECK(pixels_in(ppm)->bytes == plain);
    const auto changed = [](std::size_t at, char value) {
        std::string other = png;
        other[at] = value;
        return other;
    };
    const std::pair<const char*, std::string> rows[] = {{"a cut PPM", ppm.substr(0, ppm.size() - 1)},
                                                        {"a deep PPM", "P6\n1 1\n65535\n123456"},
                                                        {"no size", "P6\nx"},
                                                        {"a header alone", "P6\n4 5\n255"},
                                                        {"no picture", "text"},
                                                        {"nothing", ""},
                                                        {"16 bits", changed(24, 16)},
                                                        {"interlaced", changed(28, 1)},
                                                        {"a palette of 7", changed(25, 7)},
                                                        {"a wide one", changed(16, 1)},
                                                        {"a longer one", changed(23, 6)},
                                                        {"a chunk beyond the end", changed(8, 0x7F)}};
    for (const auto& [name, file] : rows) {
        CAPTURE(name);
        CHECK_FALSE(pixels_in(file).has_value());
    }
    for (std::size_t length = 0; length < png.size() - 12; ++length) CHECK_FALSE(pixels_in(png.substr(0, length)).has_value());
}
