// Printed and hashed forms of plans (`install-plan.md` 12, decisions 52 and 65).
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "ov/install_plan.hpp"

namespace ov {

/// A run of steps that are carried out as the same user in the same place.
struct VenueRun {
    Scope scope = Scope::system;
    Venue venue = Venue::host_native;
    std::size_t first = 0, count = 0;  ///< steps of the plan
};
/// The plan cut, in order, where scope or venue change: how often a machine changes privileges for it.
std::vector<VenueRun> steps_by_venue(const InstallPlan& plan);

/// How a step is undone, as far as the plan alone can say: what a guest's ledger records may be less.
std::vector<ReverseOp> reverse_ops(const Step& step);

nlohmann::json to_json(const ReverseOp& op);

/// One script of a step as a machine will get it.
struct PrintedScript {
    std::string run_as, text;
};
using ScriptSource = std::function<std::vector<PrintedScript>(const InstallPlan&, const Step&)>;

/// A plan with the keys of the spec and `Kind`, `Scope`, `Venue`, `Gate`, `Reverse` in every step; with a source of
/// scripts also `Scripts`.
nlohmann::json to_json(const InstallPlan& plan, const ScriptSource& scripts = {});

/// "Plan: layer=web image=vm-adhoc distro=debian:13 steps=2" and one line a step: kind, scope, summary, gate.
std::string to_table(const InstallPlan& plan);

/// Files of the operator's machine that the plan needs: sources of copies, and the whole layer directory when a command
/// refers to /ctx. Absolute, sorted, each once. Directories end with "/".
std::vector<std::string> referenced_files(const InstallPlan& plan);

/// SHA-256 over what the plan does: its steps without reverse operations and without paths of the operator's machine, and
/// the digests of `referenced_files`. Resolve the home first, so that the same machine gives the same digest.
std::string plan_digest(const InstallPlan& plan, const std::map<std::string, std::string>& file_digests);

}  // namespace ov
