// Opt-ins for what changes more than its layer: package repositories, root commands, services. One function for every kind
// of target, asked before the first action (`install-plan.md` 11 and I5, decisions 6 and 7).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ov/install_plan.hpp"

namespace ov {

/// Unset means that nobody said anything, which is not the same as no.
struct GateOptions {
    std::optional<bool> allow_repo_changes, allow_root_tasks, with_services;
    bool assume_yes = false;      ///< opens all three
    bool shared_machine = false;  ///< a host: root commands need an opt-in there; on a VM they are open
};

bool is_open(Gate gate, const GateOptions& options) noexcept;

/// A step behind a gate.
struct GatedStep {
    std::size_t plan = 0, step = 0;  ///< indices into what was evaluated
    Gate gate = Gate::none;
    std::string layer, kind, summary;
    /// "[skip] ServiceCustom scope=system requires --with-services"
    std::string message;
};

struct GateReport {
    std::vector<GatedStep> refused;     ///< repository changes: the deploy must not begin
    std::vector<GatedStep> skipped;     ///< held back, to be shown before the first action
    std::vector<GatedStep> root_tasks;  ///< root commands that will run, always listed

    bool skips(std::size_t plan, std::size_t step) const noexcept;
    /// Throws Error{gate_closed} naming each refused step with its layer and the flag that opens it.
    void require_none_refused() const;
};

GateReport evaluate_gates(std::span<const InstallPlan> plans, const GateOptions& options);

}  // namespace ov
