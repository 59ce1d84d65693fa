// Starts programs on this machine, for the local target and for tests.
#pragma once

#include <memory>

#include "exec/remote_process.hpp"

namespace ov {

std::unique_ptr<Launcher> make_local_launcher(asio::any_io_executor executor);

}  // namespace ov
