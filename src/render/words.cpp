#include "render/words.hpp"

namespace ov::render {

SizeText size_in_kib(std::string_view text, vm::SizeUnit bare) {
    const auto bytes = vm::parse_size(text, bare);
    if (!bytes) return {};
    if (*bytes % 1024 != 0) return {std::to_string(*bytes), "b"};
    return {std::to_string(*bytes / 1024), "KiB"};
}

}  // namespace ov::render
