// Waits until a machine's first boot is over (decisions 15).
#pragma once

#include "deploy/guest_session.hpp"

namespace ov {

/// Waits for at most `limit`. Recoverable errors of cloud-init become a note; its failure is Error{step_failed} with its status.
asio::awaitable<void> wait_for_cloud_init(GuestSession& session, std::chrono::seconds limit, Deadline deadline, EmitEvent events);

}  // namespace ov
