#include "ov/gates.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ov/error.hpp"

namespace ov {

bool is_open(Gate gate, const GateOptions& options) noexcept {
    if (gate == Gate::none) return true;
    const std::optional<bool>& said = gate == Gate::allow_repo_changes ? options.allow_repo_changes
                                      : gate == Gate::allow_root_tasks ? options.allow_root_tasks
                                                                       : options.with_services;
    if (options.assume_yes) return true;
    return said.value_or(gate == Gate::allow_root_tasks && !options.shared_machine);
}

GateReport evaluate_gates(std::span<const InstallPlan> plans, const GateOptions& options) {
    GateReport report;
    for (std::size_t p = 0; p < plans.size(); ++p) {
        for (std::size_t s = 0; s < plans[p].steps.size(); ++s) {
            const Step& step = plans[p].steps[s];
            const Gate gate = step.gate();
            if (gate == Gate::none) continue;
            GatedStep gated{p, s, gate, plans[p].layer, std::string(step.kind()), step.summary(), {}};
            if (is_open(gate, options)) {
                if (gate == Gate::allow_root_tasks) report.root_tasks.push_back(std::move(gated));
                continue;
            }
            gated.message = fmt::format("[skip] {} scope={} requires --{}", gated.kind, to_string(step.scope()), to_string(gate));
            (gate == Gate::allow_repo_changes ? report.refused : report.skipped).push_back(std::move(gated));
        }
    }
    return report;
}

bool GateReport::skips(std::size_t plan, std::size_t step) const noexcept {
    return std::any_of(skipped.begin(), skipped.end(),
                       [&](const GatedStep& held) { return held.plan == plan && held.step == step; });
}

void GateReport::require_none_refused() const {
    if (refused.empty()) return;
    std::string text = "the plan changes package repositories; allow it with --allow-repo-changes:";
    for (const GatedStep& step : refused) text += fmt::format("\n  layer {}: {} {}", step.layer, step.kind, step.summary);
    throw Error(Errc::gate_closed, text);
}

}  // namespace ov
