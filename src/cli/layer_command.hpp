// `ov layer plan|list|validate`: looking at layers without a machine.
#pragma once

#include <CLI/CLI.hpp>
#include <ostream>
#include <string>

namespace ov::cli {

/// Where a verb reads and writes; the exit status is what `main` returns.
struct LayerCommandContext {
    std::string& directory;  ///< project directory, as parsed from -C
    std::ostream& out;
    std::ostream& err;
    int& exit_status;
};

void add_layer_commands(CLI::App& app, LayerCommandContext context);

}  // namespace ov::cli
