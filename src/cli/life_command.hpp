// `ov start|stop|restart|status|logs|shell|update`: the life of a deploy's machine by the deploy's name.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_life_commands(CLI::App& app, AppContext& context);

}  // namespace ov::cli
