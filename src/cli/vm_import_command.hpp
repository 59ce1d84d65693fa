// `ov vm import`, `ov vm clone`: entities that are written into the project.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/app_context.hpp"

namespace ov::cli {

void add_vm_import(CLI::App& vm, AppContext& context);
void add_vm_clone(CLI::App& vm, AppContext& context);

}  // namespace ov::cli
