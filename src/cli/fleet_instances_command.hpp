// `ov fleet up` and `ov fleet down`.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_fleet_instances(CLI::App& fleet, AppContext& context);

}  // namespace ov::cli
