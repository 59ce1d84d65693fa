// What a deploy would do, said without asking the machine.
#pragma once

#include <string>

#include "lifecycle/machine_work.hpp"

namespace ov {

/// Plans of the node without contacting anything, as JSON (decisions 65). What a real run would hold back or refuse is emitted as
/// a warning; its pods are notes.
std::string plans_without_machine(RunContext& context, const DeployTarget& target, const EmitEvent& emit);

}  // namespace ov
