// `ov image build`: container images of the project.
#pragma once

#include "cli/app_context.hpp"

namespace ov::cli {

void add_image(CLI::App& app, AppContext& context);

}  // namespace ov::cli
