// The account of a run: how the work on every machine ended, as JSON (`report.json`), as a table, and as an exit status.
#pragma once

#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ov/fleet.hpp"

namespace ov {

/// 130 or 143 for a signal, 0 if all are ok, 2 if nothing but checks failed, else 1 (decisions 63).
int exit_code_of(const std::vector<VmReport>& vms, int signal);

std::string to_json(const Report& report);

/// Keys of all machines of a `report.json` whose outcome is not ok. Throws Error{spec_invalid} naming what is wrong.
std::vector<std::string> not_ok_in(std::string_view report_json);

/// Member name and value under which JSON shows a finding; the name is empty when there is nothing to show.
std::pair<std::string, nlohmann::ordered_json> finding_member(const Finding& finding);

/// "VM OUTCOME PHASE TIME REASON", one row a machine, then totals, then the last lines of each machine that is not ok. Reasons
/// are one line, cut at `reason_width`.
std::string to_table(const Report& report, std::size_t reason_width = 160);

/// Errors begin with the machine that they met; a line that names it already shows the rest.
std::string own_words(std::string_view vm, std::string_view host, std::string_view reason);

/// Why a machine is not ok, for a line that names it.
std::string reason_of(const VmReport& vm);

/// Consumer of events that ends up holding the report. Machines that never started are skipped.
class ReportBuilder {
public:
    void on_event(const DeployEvent& event);
    /// Where the machine's log goes, for the report.
    void set_log(std::string_view vm, std::string path);
    /// Exit status and totals are filled in; `signal` is 0, SIGINT or SIGTERM.
    Report finish(double seconds, int signal);

private:
    struct Lines {
        std::deque<std::string> kept;
        std::string partial;
    };
    VmReport& row(const std::string& vm);

    Report report_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::map<std::string, Lines, std::less<>> lines_;
};

}  // namespace ov
