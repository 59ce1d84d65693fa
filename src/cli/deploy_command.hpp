// `ov deploy add|del|path` and `ov fleet add|del|status`.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_deploy_commands(CLI::App& app, AppContext& context);
void add_fleet_commands(CLI::App& app, AppContext& context);

}  // namespace ov::cli
