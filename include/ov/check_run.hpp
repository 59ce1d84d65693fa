// Running checks against one machine: on the machine over its executor, and from here (`checks.md` 6 and 7).
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "ov/check.hpp"
#include "ov/deadline.hpp"
#include "ov/events.hpp"
#include "ov/executor.hpp"

namespace ov {

struct Runtime;

/// A method of the machine's domain, with what it printed.
using DomainMethod = std::function<asio::awaitable<CommandResult>(Check, Deadline)>;

struct CheckRequest {
    std::vector<Check> checks;          ///< in the order in which they run
    CheckVariables variables;           ///< HOME is added
    std::string directory;              ///< of the project: where commands of this host run
    std::set<std::string> displays;     ///< "spice", "vnc": what the machine's domain has
    DomainMethod domain;                ///< none: the machine has no domain on this host
    std::vector<std::string> only_ids;  ///< not empty: only these; an id that no check has is Error{not_found}
    bool stop_on_fail = false;          ///< Error{checks_failed} at the first that fails
};

/// Emits CheckFinished for each check and returns the results, in order. Failed checks are results; throws when cancelled or
/// out of time, after the check that was at work has been reported.
asio::awaitable<std::vector<CheckResult>> run_checks(Executor& executor, Runtime& runtime, CheckRequest request,
                                                     Deadline deadline, EmitEvent events);

}  // namespace ov
