// `ov eval live`, its alias `ov test`, and what all verbs that run checks print of them.
#pragma once

#include "cli/fleet_run.hpp"

namespace ov::cli {

void add_check_commands(CLI::App& app, AppContext& context);

/// `--format`, `--section`, `--filter` of the verbs that only check.
void add_check_flags(CLI::App& command, FleetFlags& flags);

/// Gathers the results of a run's checks by machine.
class CheckCollector {
public:
    void on_event(const DeployEvent& event);
    /// In the order of the report; machines that could not be checked say why.
    std::vector<CheckSuite> suites(const Report& report) const;

private:
    std::map<std::string, std::vector<CheckResult>> results_;
};

/// The report of `eval live` or `fleet test` on stdout, what went wrong on stderr.
void print_checks(const CheckCollector& checks, const Report& report, const FleetFlags& flags, AppContext& app);

}  // namespace ov::cli
