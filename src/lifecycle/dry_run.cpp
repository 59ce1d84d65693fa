#include "lifecycle/dry_run.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lifecycle/machine_pods.hpp"
#include "ov/plan_output.hpp"

namespace ov {
namespace {

std::string this_os_release() {
    for (const char* path : {"/etc/os-release", "/usr/lib/os-release"})
        if (std::ifstream file(path); file) return {std::istreambuf_iterator<char>(file), {}};
    return {};
}

}  // namespace

std::string plans_without_machine(RunContext& context, const DeployTarget& target, const EmitEvent& emit) {
    if (is_lone_pod(context, target)) {
        emit(event::Note{Severity::note, fmt::format("pod {}: image {}", target.key, target.pod_image)});
        return "[]";
    }
    const PlanInputs inputs = plan_inputs(target.node, context.request);
    const std::string id = context.plans.deploy_id_of(target.key, inputs);
    // An instance without a deploy is made all the same, and pods are nobody's plan.
    std::vector<PodChild> pods;
    if (!context.request.node_only && !target.outer && !target.is_local()) pods = pod_children(target.node);
    if (id.empty() && pods.empty() && context.request.verb != FleetVerb::up) throw Error(Errc::not_found, nothing_to_deploy);
    if (!target.is_this_host() && target.entity.source_distro.empty())
        throw Error(Errc::unsupported,
                    fmt::format("deploy {}: a dry run asks no machine, so it must be told the distribution: set "
                                "`source.distro` of VM entity {} (for example debian:12)",
                                target.key, target.machine.entity));
    CompileContext compile_for;
    compile_for.distro =
        target.is_this_host() ? distro_from_os_release(this_os_release()) : distro_from_tag(target.entity.source_distro);
    compile_for.user = target.entity.ssh.user;
    compile_for.deploy_id = id;
    const std::vector<InstallPlan> plans = context.plans.compile_all(inputs, compile_for);
    const GateReport gates = evaluate_gates(plans, gate_options(target.node, context.request));
    for (const GatedStep& step : gates.refused)
        emit(event::Note{Severity::warning, fmt::format("layer {}: {} {}: the deploy is refused without --{}", step.layer,
                                                        step.kind, step.summary, to_string(step.gate))});
    for (const GatedStep& step : gates.skipped) emit(event::Note{Severity::warning, step.message});
    for (const PodChild& pod : pods)
        emit(event::Note{Severity::note, fmt::format("pod {}.{}: image {}", target.key, pod.key, pod.image)});
    nlohmann::json all = nlohmann::json::array();
    for (const InstallPlan& plan : plans) all.push_back(to_json(plan));
    return all.dump();
}

}  // namespace ov
