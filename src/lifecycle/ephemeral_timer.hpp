// What ends an ephemeral machine when its time is over and `ov` is not there any more (decisions 66).
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "async/runtime.hpp"
#include "ov/deadline.hpp"

namespace ov {

/// How the machine is ended when its time is up, if we are not there any more.
struct TimerCommand {
    std::vector<std::string> systemd;   ///< systemd-run ...
    std::vector<std::string> detached;  ///< where no manager answers: prints its pid, then sleeps
    std::string unit;
};
TimerCommand timer_command(const std::string& key, std::chrono::seconds ttl, const std::string& program,
                           const std::string& directory, const std::vector<std::string>& environment, bool root, long long now);

/// Starts it: a unit of the service manager where one answers, else a process of its own session. Returns what `disarm_timer`
/// takes:
/// "<unit>.timer" or "pid:<n>".
asio::awaitable<std::string> arm_timer(TimerCommand command, Deadline deadline);
/// Ends it; nothing when it is over, or is what started us. Empty: there is none.
asio::awaitable<void> disarm_timer(Runtime& runtime, std::string timer, Deadline deadline);

}  // namespace ov
