// `fleet up` and `fleet down` for one instance: build, create, boot, deploy, check; and back.
#pragma once

#include "lifecycle/machine_work.hpp"

namespace ov {

/// What is there already stays: a run that was cut short is completed by the next.
asio::awaitable<std::string> bring_up(RunContext& context, MachineJob job, Deadline deadline);

/// Ends the machine without asking its guest and removes it with its disk, keys and state. Absent is no failure.
asio::awaitable<std::string> take_down(RunContext& context, MachineJob job, Deadline deadline);

}  // namespace ov
