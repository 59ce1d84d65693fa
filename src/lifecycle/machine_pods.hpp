// The pods in a machine as part of the work on it: after its layers, before they are taken back, or one of them alone.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "lifecycle/machine_work.hpp"
#include "lifecycle/pods.hpp"

namespace ov {

/// `lab.web`: the pod alone, brought up from the machine around it. With layers of its own it is entered instead.
bool is_lone_pod(const RunContext& context, const DeployTarget& target);
asio::awaitable<std::string> add_lone_pod(RunContext& context, MachineJob job, Deadline deadline);
asio::awaitable<std::string> del_lone_pod(RunContext& context, MachineJob job, Deadline deadline);

/// Throws one Error naming every child that is not up, after all were tried.
asio::awaitable<void> add_pods(RunContext& context, Executor& executor, PodRun run, Deadline deadline, EmitEvent emit);
/// Pods of a machine go before what they stand on. Returns the lines of a dry run.
asio::awaitable<std::string> del_pods(RunContext& context, Executor& executor, PodRemoval removal, Deadline deadline,
                                      EmitEvent emit);

}  // namespace ov
