// `ov vm render`: what the renderers make of one VM, printed.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

/// Below the command `vm`.
void add_vm_render(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
