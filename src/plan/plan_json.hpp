// One step as JSON without its reverse operations, for printing and for the digest.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "ov/install_plan.hpp"

namespace ov::plan {

nlohmann::json step_json(const Step& step);

}  // namespace ov::plan
