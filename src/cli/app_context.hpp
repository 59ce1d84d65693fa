// What every verb gets: global flags, streams, and the place for the exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace ov::cli {

struct AppContext {
    std::string directory = ".";  ///< project directory, as parsed from -C
    std::ostream& out;
    std::ostream& err;
    int exit_status = 0;
    /// Set by the chosen verb's callback; run after parsing is over, so that parse errors stay parse errors.
    std::function<void()> action;
    /// Words behind the name of a pass-through verb (`vm ssh NAME word...`), taken out before parsing.
    std::vector<std::string> remote_words{};
    /// The warnings about the project are on `err` already: a verb that loads it twice tells them once.
    bool warned = false;
};

/// The project directory for paths that are recorded or printed: absolute, without a slash at its end.
inline std::string absolute_directory(const std::string& directory) {
    std::string path = std::filesystem::absolute(directory).lexically_normal().string();
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

/// A flag that tells "not given" from "given as false" (`--flag=false`).
inline CLI::Option* add_tristate(CLI::App& command, const std::string& name, std::optional<bool>& value,
                                 const std::string& help) {
    return command.add_flag_function(
        name, [&value](std::int64_t count) { value = count > 0; }, help);
}

/// A repeatable, comma-split list that never swallows the positional behind it.
inline CLI::Option* add_list(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                             const std::string& help) {
    return command.add_option(name, values, help)->delimiter(',')->allow_extra_args(false);
}

}  // namespace ov::cli
