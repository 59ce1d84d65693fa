// A terminal at a machine's serial console: both directions over a UNIX socket, raw mode, Ctrl-] to leave.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "ov/deadline.hpp"

namespace ov {

/// Standard input and output against the socket. Returns when the peer closes, when Ctrl-] is typed, or when the deadline is
/// cancelled; the terminal is as before then. An input that ends (a file) leaves the output running. Error{not_found} and
/// Error{unreachable} for a socket that does not answer, Error{busy} when somebody else is at the console.
asio::awaitable<void> relay_console(std::string socket_path, Deadline deadline);

}  // namespace ov
