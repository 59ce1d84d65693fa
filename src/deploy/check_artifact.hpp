// What a check asks of the file that a method wrote (`checks.md` 9.3).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "ov/check.hpp"

namespace ov {

/// What is wrong with the check's artifact; nothing when it has none or nothing is wrong. `directory`: what a relative path is
/// relative to. `begun`: a file that is older was written by somebody else. Blocks.
std::optional<std::string> artifact_problem(const Check& check, const std::string& directory,
                                            std::filesystem::file_time_type begun);

}  // namespace ov
