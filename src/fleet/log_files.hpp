// One log file per machine in `--log-dir`: its output verbatim, with a line per phase, step and note in between.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "ov/events.hpp"

namespace ov {

/// "web_1-3fa2c0.log" for key "web/1": readable, and different keys never share a file (decisions 62).
std::string log_file_name(std::string_view key);

class LogFiles {
public:
    /// Creates the folder. Throws Error{io} when that fails.
    explicit LogFiles(std::filesystem::path folder);

    void on_event(const DeployEvent& event);
    std::string path_of(std::string_view key) const { return (folder_ / log_file_name(key)).string(); }
    /// Set when a file could not be written; said once at the end rather than stopping the work.
    const std::string& problem() const noexcept { return problem_; }

private:
    struct File {
        std::ofstream stream;
        bool at_line_start = true;
    };
    File& file(const std::string& vm);

    std::filesystem::path folder_;
    std::map<std::string, File> files_;
    std::string problem_;
};

}  // namespace ov
