// `ov vm snapshot create|list|delete|revert|promote`.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_snapshot(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
