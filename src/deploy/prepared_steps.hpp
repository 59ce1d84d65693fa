// A deploy's steps in the order of execution, rendered for one machine, and what may be left out of them.
#pragma once

#include <string>
#include <vector>

#include "deploy/guest_ledger.hpp"
#include "ov/deploy.hpp"
#include "plan/step_script.hpp"

namespace ov {

struct PreparedStep {
    const Step* step = nullptr;  ///< in PreparedDeploy::plans
    std::string layer, digest, summary;
    int index = 0;   ///< in its layer, from 0: the journal's "step"
    int of = 0;      ///< steps of its layer
    int number = 0;  ///< in the deploy, from 1
    GuestStep script;
    std::string skip;     ///< not empty: why it does not run
    std::string archive;  ///< builder: what it made, on the operator's machine
    bool again = false;   ///< it was begun by a run that did not come to its end
};

struct PreparedDeploy {
    std::vector<InstallPlan> plans;    ///< with the machine's home
    std::vector<std::string> digests;  ///< plan digest of each
    std::vector<PreparedStep> steps;
    std::vector<std::string> notes;
};

/// Throws what rendering and reading uploads throw, Error{gate_closed} for refused gates and Error{unsupported} for steps
/// that this program cannot do: all of that before the machine is changed.
PreparedDeploy prepare_deploy(const DeployRequest& request, const GuestFacts& facts, const GuestLedger& ledger,
                              const std::string& run_dir);

/// JSON members of the journal lines of a step, without braces.
std::string journal_record(const PreparedStep& step, const std::string& run);
/// The step's intent, one line.
std::string journal_intent(const PreparedStep& step, const std::string& run, std::string_view now);

}  // namespace ov
