// The systemd of the login user, which keeps the pods.
#pragma once

#include <string>

namespace ov::guest {

/// Sets the runtime directory that a shell without a login lacks, and waits for the manager: right after lingering was enabled
/// it needs a moment (W4). Throws Error{unsupported} after a minute.
void require_user_manager();

/// Stops the unit; one that the manager does not know (its text was refused, or it is gone) is stopped already.
void stop_unit(const std::string& service);

}  // namespace ov::guest
