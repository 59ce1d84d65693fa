// `ov vm gpu list|status`: what of this host's GPUs a guest can get.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_gpu(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
