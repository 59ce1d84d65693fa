// `ov vm ssh` and `ov vm console`: a person at a guest.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_ssh(CLI::App& vm, AppContext& context);
void add_vm_console(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
