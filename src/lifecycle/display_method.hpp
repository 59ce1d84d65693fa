// Methods of a machine's display, for checks (`checks.md` 9): what is spoken to the display itself.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "async/runtime.hpp"
#include "backend/display_socket.hpp"
#include "ov/check.hpp"
#include "ov/executor.hpp"

namespace ov {

/// A method of the verbs vnc and spice. A relative artifact is one of `directory`. Error{unsupported} for a method that needs
/// more than is spoken here.
asio::awaitable<CommandResult> run_display_method(Runtime& runtime, DisplayPlace place, Check check, std::string directory,
                                                  Deadline deadline);

}  // namespace ov
