// `ov deploy show|export|import|reset|path`: this host's deploy.yml as a file (`cli-and-config.md` 3.1).
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_deploy_file_commands(CLI::App& deploy, AppContext& context);

}  // namespace ov::cli
