#include <fmt/format.h>

#include "ov/plan_output.hpp"

namespace ov {

namespace {

/// What a command does is known to its author alone; the directory of a mkdir stays for what is in it.
bool is_command(const Step& step) {
    const auto* task = std::get_if<TaskStep>(&step.body);
    return task != nullptr && task->verb == TaskVerb::cmd;
}

}  // namespace

std::string to_table(const InstallPlan& plan) {
    std::string text =
        fmt::format("Plan: layer={} image={} distro={} steps={}\n", plan.layer, plan.image, plan.distro, plan.steps.size());
    for (const Step& step : plan.steps) {
        const std::string_view gate = to_string(step.gate());
        text += fmt::format("  {:<15} {:<12} {}{}{}\n", step.kind(), to_string(step.scope()), step.summary(),
                            gate.empty() ? std::string() : fmt::format("  [{}]", gate), is_command(step) ? "  [no undo]" : "");
    }
    return text;
}

}  // namespace ov
