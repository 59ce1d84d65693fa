// Values inside QEMU's option lists: a comma ends a value there, so every comma of a value is doubled. The one function that
// does it.
#pragma once

#include <string>
#include <string_view>

namespace ov::render::qemu {

std::string doubled(std::string_view value);
/// The value again.
std::string undoubled(std::string_view text);

}  // namespace ov::render::qemu
