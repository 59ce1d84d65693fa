// `ov vm cp-image`, `ov fleet cp-image`: container images of this host into machines; `ov deploy from-image`: one into a pod.
#pragma once

#include "cli/app_context.hpp"
#include "cli/fleet_run.hpp"

namespace ov::cli {

void add_vm_cp_image(CLI::App& vm, AppContext& context);
/// Runs `ov-guest deploy from-image` in place of this program.
void add_deploy_from_image(CLI::App& deploy, AppContext& context);
void add_fleet_cp_image(CLI::App& fleet, AppContext& context);

/// What travelled to each machine: lines, a table, or JSON.
void print_transfers(const Engine& engine, const Report& report, const FleetFlags& flags, AppContext& app);

}  // namespace ov::cli
