// The question before something that cannot be taken back.
#pragma once

#include <string>

namespace ov::cli {

bool at_terminal();

/// Writes "question [y/N] " to standard error and reads one line of standard input: y, Y or yes agree.
bool person_agrees(const std::string& question);

}  // namespace ov::cli
