// `ov vm validate`: all findings about VM entities.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_validate(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
