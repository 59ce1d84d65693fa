// `ov preempt`: which machines made way for which, and giving exclusive resources back by hand.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/app_context.hpp"

namespace ov::cli {

void add_preempt(CLI::App& app, AppContext& context);

}  // namespace ov::cli
