// What the runners are sent before steps begin: library parts and uploads.
#pragma once

#include <string>
#include <vector>

#include "deploy/guest_session.hpp"
#include "deploy/prepared_steps.hpp"

namespace ov {

/// Runs one command and throws Error{step_failed} beginning with `what` unless it succeeds.
asio::awaitable<void> run_prepared(Executor& executor, Command command, std::string what, Deadline deadline);

/// `first` goes to the user's runner ahead of the uploads. True when something of this run lies in the run directory.
asio::awaitable<bool> equip(GuestSession& session, std::vector<const PreparedStep*> steps, UploadCache& uploads, Command first,
                            Deadline deadline, EmitEvent events);

}  // namespace ov
