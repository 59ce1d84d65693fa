// podman of this host, where images are built and come from.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "async/process.hpp"

namespace ov {

/// Runs `podman WORDS...` and collects what it says; with `console` its standard error goes to ours. Any exit status is an
/// answer. Throws Error{not_found} where podman is not installed. Cancellation ends its process group.
asio::awaitable<ProcessOutput> host_podman(std::vector<std::string> words, Deadline deadline, bool console = false);

}  // namespace ov
