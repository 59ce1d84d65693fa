// `ov vm start`, `stop` and `destroy`.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_power(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
