#include <fmt/format.h>

#include "ov/plan_output.hpp"

namespace ov {

std::string to_table(const InstallPlan& plan) {
    std::string text =
        fmt::format("Plan: layer={} image={} distro={} steps={}\n", plan.layer, plan.image, plan.distro, plan.steps.size());
    for (const Step& step : plan.steps) {
        const std::string_view gate = to_string(step.gate());
        text += fmt::format("  {:<15} {:<12} {}{}\n", step.kind(), to_string(step.scope()), step.summary(),
                            gate.empty() ? std::string() : fmt::format("  [{}]", gate));
    }
    return text;
}

}  // namespace ov
