// The one error type of the library: a code to act on, a message that names what, where and what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace ov {

/// What went wrong, as far as a caller may want to act on it. Text is for people, the code is for programs.
enum class Errc {
    usage = 1,         ///< wrong command line
    spec_invalid,      ///< a file the user wrote is wrong; `SpecError` carries every finding
    not_found,         ///< a name (layer, entity, deploy, program, file) that nothing answers to
    unsupported,       ///< valid, but not for this target or this host
    unreachable,       ///< no transport to the machine: name lookup, connect, banner, key exchange
    auth_failed,       ///< the machine answered and refused our keys
    host_key,          ///< the machine's host key is not the pinned one; never retried
    privilege,         ///< no root on the machine (sudo missing or asking for a password)
    transport_lost,    ///< an established connection ended before the answer came
    step_failed,       ///< a step ran on the machine and reported failure
    checks_failed,     ///< the work was done; declarative checks did not pass
    gate_closed,       ///< the plan needs an opt-in that was not given
    busy,              ///< someone else holds the lock
    ledger_corrupt,    ///< a record on the machine exists and cannot be read
    timed_out,         ///< a deadline passed
    cancelled,         ///< the caller cancelled; not a failure
    io,                ///< the operating system refused a file or a process
    internal,          ///< a bug in this program
};

/// Short stable word for logs and JSON: "unreachable", "step_failed", ...
std::string_view to_string(Errc code) noexcept;

/// Root of everything the library throws on purpose. Copyable; safe to carry across threads.
class Error : public std::runtime_error {
public:
    Error(Errc code, const std::string& message) : std::runtime_error(message), code_(code) {}
    Errc code() const noexcept { return code_; }

    /// The same error seen from one level further out: "context: message".
    Error within(std::string_view context) const { return {code_, std::string(context) + ": " + what()}; }

private:
    Errc code_;
};

/// How the work on one machine ended. The order is that of the summary table.
enum class Outcome { ok, failed, unreachable, timed_out, cancelled, skipped };

std::string_view to_string(Outcome outcome) noexcept;

/// Outcome of a piece of work that ended with `code`. Authentication and host key trouble count as unreachable:
/// nothing was changed on the machine.
Outcome outcome_of(Errc code) noexcept;

}  // namespace ov
