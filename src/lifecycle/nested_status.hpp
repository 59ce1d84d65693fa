// What runs inside a deploy's machine, for `ov status --nested` (`cli-and-config.md` 8.4).
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "lifecycle/hypervisors.hpp"

namespace ov {

struct NestedStatus {
    std::string name;   ///< the child's key, without the path to it
    int depth = 1;      ///< 1: directly in the deploy's machine
    std::string state;  ///< "declared" (its machine does not run), "reachable" or "unreachable"
};

/// Every nested deploy of the target, each level sorted, asked at once and for at most 4 s each. Starts nothing.
asio::awaitable<std::vector<NestedStatus>> nested_status(VmContext& context, Hypervisors& hypervisors, DeployTarget target,
                                                         Deadline deadline);

}  // namespace ov
