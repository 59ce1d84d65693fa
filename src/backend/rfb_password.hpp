// VNC's way to prove a password: DES over the server's challenge.
#pragma once

#include <string>
#include <string_view>

namespace ov {

/// `challenge`: 16 bytes. Only the first eight bytes of the password count.
std::string rfb_response(std::string_view challenge, std::string_view password);

}  // namespace ov
