#include "deploy/teardown_plan.hpp"

#include <algorithm>

#include "ov/error.hpp"

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

}  // namespace

std::vector<UndoStep> undo_steps(const LedgerJson& record, std::string_view home, UndoFlags flags) {
    std::vector<UndoStep> all;
    const auto ops = record.find("reverse_ops");
    if (ops == record.end() || !ops->is_array()) return all;
    for (std::size_t i = ops->size(); i-- > 0;) {
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
