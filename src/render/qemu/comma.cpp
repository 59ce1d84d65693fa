#include "render/qemu/comma.hpp"

namespace ov::render::qemu {

std::string doubled(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == ',') out += ',';
        out += c;
    }
    return out;
}

std::string undoubled(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        out += text[i];
        if (text[i] == ',' && i + 1 < text.size() && text[i + 1] == ',') ++i;
    }
    return out;
}

}  // namespace ov::render::qemu
