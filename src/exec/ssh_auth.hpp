// Proves who we are: public keys from files, then from the agent. Only keys that were asked for are offered.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>

#include "exec/ssh_destination.hpp"
#include "exec/ssh_session.hpp"

namespace ov {

/// Throws Error{auth_failed} naming user, host and every key that was tried. The host key has been checked before.
asio::awaitable<void> authenticate(std::shared_ptr<SshSession> session, SshDestination destination, Deadline deadline);

}  // namespace ov
