// A container that goes with the wish for it: the end of `podman run` is not that of its container, and one behind sudo may not
// even be signalled.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/deadline.hpp"

namespace ov {

/// Is given the words to run, and a deadline that ends when removing the container did not end them.
using ContainerClient = std::function<asio::awaitable<void>(std::vector<std::string> argv, Deadline deadline)>;

/// A name that no other container of this host has: "ov-WHAT-...".
std::string container_name(std::string_view what);

/// Gives the container of `podman run ...` (or `sudo -n podman run ...`) a name and runs `client`. When the deadline ends or the
/// client fails the container is removed and the client awaited. Throws the deadline's error, else the client's.
asio::awaitable<void> with_container(std::vector<std::string> argv, ContainerClient client, Deadline deadline);

}  // namespace ov
