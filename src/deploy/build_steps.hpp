// The part of a deploy that builds on the operator's machine and sends the result.
#pragma once

#include <vector>

#include "deploy/guest_session.hpp"
#include "deploy/prepared_steps.hpp"

namespace ov {

/// Runs the containers of all steps that build, before anything is changed on the machine; each step then names its archive.
asio::awaitable<void> run_builders(const DeployRequest& request, const GuestFacts& facts, std::vector<PreparedStep>& steps,
                                   Deadline deadline, EmitEvent events);

/// Streams what a builder made to where the step looks for it.
asio::awaitable<void> ship_build(GuestSession& session, const DeployRequest& request, const PreparedStep& step, Deadline deadline,
                                 EmitEvent events);

}  // namespace ov
