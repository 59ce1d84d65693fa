// `ov vm ...`: verbs on one VM's definition and machine.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_commands(CLI::App& app, AppContext& context);

}  // namespace ov::cli
