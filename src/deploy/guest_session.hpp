// The connection to one machine during a deploy: its lock, its run directory, and which library parts each runner has.
#pragma once

#include <array>
#include <string>

#include "deploy/guest_facts.hpp"
#include "ov/deploy.hpp"
#include "plan/guest_library.hpp"

namespace ov {

/// Where the machine keeps things of this deploy and who we are, for messages of whoever waits for the lock.
struct SessionPlace {
    std::string run_dir;    ///< absolute, unique to this run of the program
    std::string deploy_id;  ///< empty: an existing ledger is locked, nothing is made
    std::string owner;      ///< one line for `.lock.owner`
};

class GuestSession {
public:
    GuestSession(Machine& machine, SessionPlace place) : machine_(machine), place_(std::move(place)) {}

    /// Takes the lock, asks the machine about itself and its ledger, in one round trip. Throws Error{busy} naming the holder.
    asio::awaitable<Probe> open(Deadline deadline);

    /// A new connection after a reboot; the lock is taken again. Throws what `reconnect` throws.
    asio::awaitable<void> reopen(Deadline deadline);

    /// What a runner must be told before a script that calls `parts`: empty when it has them. Run it as persistent.
    Command library_for(RunAs as, GuestParts parts);

    /// Runs one unrecorded script as a whole, library first; throws Error{step_failed} with the last lines when it fails.
    asio::awaitable<std::string> must(RunAs as, GuestParts parts, std::string script, std::string label, Deadline deadline);
    /// The same, the status being the caller's business.
    asio::awaitable<CommandResult> ask(RunAs as, GuestParts parts, std::string script, std::string label, Deadline deadline);

    Executor& executor() { return *machine_.executor; }
    Machine& machine() { return machine_; }
    const SessionPlace& place() const { return place_; }
    const GuestFacts& facts() const { return facts_; }

private:
    asio::awaitable<CommandResult> start(Deadline deadline, std::string* answer);

    Machine& machine_;
    SessionPlace place_;
    GuestFacts facts_;
    std::array<GuestParts, 2> has_{};
};

/// The last lines of a script's output for an error message: standard error, else standard output.
std::string last_lines(const CommandResult& result, std::size_t lines = 8);
/// "exit status 3: No space left on device", or that it said nothing.
std::string exit_text(const CommandResult& result, std::size_t lines = 8);

}  // namespace ov
