// Runs the work of many machines under the limits of a run, and says for each how it ended.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "fleet/events.hpp"
#include "lifecycle/machine_work.hpp"
#include "ov/deadline.hpp"
#include "ov/fleet.hpp"

namespace ov {

struct FleetLimits {
    int jobs = 32;
    std::optional<Share> batch, max_fail;
    bool fail_fast = false;
    std::optional<std::chrono::seconds> timeout;
};

/// One machine of a run.
struct VmWork {
    std::string key, entity, instance, host;
    std::string machine;  ///< works with equal text never overlap: they are one machine
    std::function<asio::awaitable<void>(WorkSlot&, EmitEvent, Deadline)> run;
};

/// Starts each work in order as places get free; emits VmStarted and VmFinished around it and watches what it emits in between.
/// Works that never started get no event. Returns when all have ended; the deadline's cancellation reaches each of them.
asio::awaitable<void> run_works(EventStream& stream, std::vector<VmWork> works, FleetLimits limits, Deadline deadline);

}  // namespace ov
