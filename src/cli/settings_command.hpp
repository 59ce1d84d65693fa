// `ov settings get|set|list|reset|path` (`cli-and-config.md` 4.3).
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_settings_commands(CLI::App& app, AppContext& context);

}  // namespace ov::cli
