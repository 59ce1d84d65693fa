// A reboot that is proven by the machine's boot id.
#pragma once

#include "deploy/guest_session.hpp"

namespace ov {

/// Reboots and comes back with a new connection and the lock. Distinct errors: no valid id before, did not go down, did not
/// come back; a changed host key ends the wait at once.
asio::awaitable<void> reboot_machine(GuestSession& session, Deadline deadline);

}  // namespace ov
