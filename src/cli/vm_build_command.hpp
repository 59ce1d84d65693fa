// `ov vm build`.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_build(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
