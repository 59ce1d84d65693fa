// Runs contiguous steps of one privilege level through the runner without waiting between them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "deploy/guest_session.hpp"
#include "deploy/prepared_steps.hpp"

namespace ov {

/// Throws the error of the first step that did not succeed; steps behind it have not been begun.
asio::awaitable<void> run_batch(GuestSession& session, std::vector<const PreparedStep*> steps, UploadCache& uploads,
                                std::string run, Deadline deadline, EmitEvent events);

}  // namespace ov
