// `ov reap-orphans`: ephemeral machines whose time is over, or that are gone.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/app_context.hpp"

namespace ov::cli {

void add_reap_orphans(CLI::App& app, AppContext& context);

}  // namespace ov::cli
