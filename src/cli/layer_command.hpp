// `ov layer plan|list|validate`: looking at layers without a machine.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_layer_commands(CLI::App& app, AppContext& context);

}  // namespace ov::cli
