// Getting through to the machine of a deploy, whatever it is: this host, a machine behind SSH.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>

#include "lifecycle/machine_work.hpp"
#include "ov/executor.hpp"

namespace ov {

struct OpenMachine {
    std::unique_ptr<Executor> executor;
    std::string user;  ///< login user; empty for this host
    int port = 0;      ///< of sshd; 0 for this host
};

/// Emits the phases resolve and connect. Waits for a machine that is on its way up, its slot given back meanwhile.
asio::awaitable<OpenMachine> open_machine(RunContext& context, const MachineJob& job, Deadline deadline);

/// Bounded by itself: also a cancelled run leaves no runner behind.
asio::awaitable<void> close_machine(Executor& executor);

/// Tells when a phase begins and ends; one that is left by an error is not finished.
class PhaseScope {
public:
    PhaseScope(const EmitEvent& emit, WorkPhase phase) : emit_(emit), phase_(phase), start_(Deadline::Clock::now()) {
        emit_(event::PhaseStarted{phase_});
    }
    void finish() { emit_(event::PhaseFinished{phase_, std::chrono::duration<double>(Deadline::Clock::now() - start_).count()}); }

private:
    const EmitEvent& emit_;
    WorkPhase phase_;
    Deadline::Clock::time_point start_;
};

}  // namespace ov
