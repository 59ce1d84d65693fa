// Runs a fleet request for a person or a script: progress, signals, the table or JSON at the end, log files, exit status.
#pragma once

#include <string>

#include "cli/app_context.hpp"
#include "ov/fleet.hpp"

namespace ov::cli {

/// Options that only concern what is shown.
struct DisplayOptions {
    std::string output = "table";   ///< "table", "json", "jsonl"
    std::string progress = "auto";  ///< "auto", "tty", "plain", "none"
    std::string log_dir;
    std::string format = "table";       ///< of dry runs: "table", "json"
    std::string check_format = "text";  ///< of checks: "text", "json", "tap", "junit"
    bool single = false;                ///< one machine named by the user: a line instead of a table
};

/// All options of the deploy and fleet verbs.
struct FleetFlags {
    FleetRequest request;
    DisplayOptions display;
    std::string batch, max_fail, timeout, ssh_timeout, reboot_timeout, step_timeout, retry_failed;
    bool assume_yes = false;
};

void add_apply_flags(CLI::App& command, FleetFlags& flags);
void add_undo_flags(CLI::App& command, FleetFlags& flags);
/// Selection, limits and output.
void add_fleet_flags(CLI::App& command, FleetFlags& flags);
void add_display_flags(CLI::App& command, FleetFlags& flags);

/// "90", "90s", "2m", "1h30m". Throws Error{usage} naming `option`.
std::chrono::seconds parse_duration(const std::string& text, const std::string& option);

/// Completes the request from the flags' texts and runs it. Sets the exit status.
void run_fleet(FleetFlags flags, AppContext& app);

}  // namespace ov::cli
