// `ov deploy status`.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_deploy_status(CLI::App& deploy, AppContext& context);

}  // namespace ov::cli
