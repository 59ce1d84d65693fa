#include "deploy/teardown_plan.hpp"

#include <algorithm>

#include "ov/error.hpp"
#include "plan/script_text.hpp"

namespace ov {
namespace {

bool is_kept(KeptBy kept_by, UndoFlags flags) {
    switch (kept_by) {
        case KeptBy::nothing:
            return false;
        case KeptBy::keep_services:
            return flags.keep_services;
        case KeptBy::keep_repo_changes:
            return flags.keep_repo_changes;
    }
    return false;
}

UndoStep reload(RunAs as) {
    UndoStep step;
    step.op = std::string::npos;
    step.kind = "daemon-reload";
    step.script.as = as;
    step.script.library = {GuestPart::services};
    step.script.text = as == RunAs::root ? "ov_systemctl system daemon-reload\n" : "ov_systemctl user daemon-reload\n";
    step.script.may_fail = true;
    return step;
}

/// Other programs write no steps and no operation for a layer's environment: it is known by its name.
UndoStep environment_file(const std::string& layer) {
    UndoStep step;
    step.op = std::string::npos;
    step.kind = "remove-envd-file";
    step.script.as = RunAs::user;
    step.script.library = {GuestPart::undo};
    step.script.text = "ov_rm_file '' \"$HOME\"/.config/overthink/env.d/" + script_word(layer + ".env") + "\n";
    step.script.may_fail = true;
    step.script.pass = 2;
    return step;
}

}  // namespace

std::vector<UndoStep> undo_steps(const LedgerJson& record, std::string_view home, UndoFlags flags) {
    std::vector<UndoStep> all;
    const auto ops = record.find("reverse_ops");
    const bool any = ops != record.end() && ops->is_array();
    const bool knows_environment = any && std::any_of(ops->begin(), ops->end(), [](const LedgerJson& op) {
                                       return op.is_object() && op.value("kind", "") == "remove-envd-file";
                                   });
    if (!record.contains("steps") && record.contains("layer") && !knows_environment)
        all.push_back(environment_file(record.value("layer", "")));
    for (std::size_t i = any ? ops->size() : 0; i-- > 0;) {
        UndoStep step;
        step.op = i;
        try {
            const ReverseOp op = reverse_op_of((*ops)[i]);
            step.kind = op.kind;
            step.targets = op.targets;
            step.script = render_undo(op, home);
        } catch (const Error& error) {
            step.problem = error.what();
        }
        if (step.problem.empty() && (step.script.text.empty() || is_kept(step.script.kept_by, flags))) continue;
        all.push_back(std::move(step));
    }
    std::ranges::stable_sort(all, {}, [](const UndoStep& step) { return step.script.pass; });
    const auto restores = std::ranges::find_if(all, [](const UndoStep& step) { return step.script.pass == 3; });
    std::vector<UndoStep> reloads;
    for (const RunAs as : {RunAs::root, RunAs::user})
        if (std::ranges::any_of(all, [as](const UndoStep& step) { return step.script.reloads_units && step.script.as == as; }))
            reloads.push_back(reload(as));
    all.insert(restores, std::make_move_iterator(reloads.begin()), std::make_move_iterator(reloads.end()));
    return all;
}

}  // namespace ov
