// `ov vm list`.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_list(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
