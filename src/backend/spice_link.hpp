// The first exchange of SPICE: whether somebody answers for the main channel of a display. Nothing behind it is spoken here.
#pragma once

#include "backend/display_socket.hpp"

namespace ov {

/// What the server said: "SPICE 2.2, main channel, 1 common and 1 channel capability words". Error{transport_lost} when it is
/// no SPICE, Error{unreachable} with the server's number when it refuses the link.
asio::awaitable<std::string> spice_status(DisplaySocket socket, Deadline deadline);

}  // namespace ov
