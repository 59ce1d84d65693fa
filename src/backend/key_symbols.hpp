// Names of keys and characters as the keysyms that VNC sends.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ov {

/// Of "Return", "ctrl-alt-F2", "ctrl+alt+Delete", "a": all held together. Error{usage} naming a word that is no key.
std::vector<std::uint32_t> key_symbols(std::string_view combination);
/// What is pressed for each character of UTF-8 text: its keysym, behind Shift where a US keyboard needs it.
std::vector<std::vector<std::uint32_t>> typed_symbols(std::string_view text);

}  // namespace ov
