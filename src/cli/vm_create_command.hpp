// `ov vm create`.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_create(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
