// `.env` of the working directory: defaults for environment variables (`cli-and-config.md` 2.1).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ov::cli {

/// KEY and VALUE of each line; blank lines, comments and lines without "=" are skipped, one pair of quotes is stripped.
std::vector<std::pair<std::string, std::string>> parse_dotenv(std::string_view text);

/// Sets what the environment does not have yet. Returns a warning when the file cannot be read; a missing one is fine.
std::string load_dotenv(const std::string& path);

}  // namespace ov::cli
