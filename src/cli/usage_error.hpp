// What a wrong command line is told: the word that nothing answers to, the nearest one that exists, and whose help to read.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace ov::cli {

/// Text for stderr, without "ov: error:". `app` is the program's root after its `parse` threw `error`.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error);

}  // namespace ov::cli
