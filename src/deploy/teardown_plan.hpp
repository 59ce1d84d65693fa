// Which operations a teardown runs and in which order (`ledger.md` 7.3 and 8). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/ledger_record.hpp"
#include "plan/undo_script.hpp"

namespace ov {

struct UndoStep {
    std::size_t op = 0;  ///< index in the record's `reverse_ops`
    std::string kind;
    std::vector<std::string> targets;
    UndoScript script;
    std::string problem;  ///< not empty: it cannot be undone by this program (unknown kind), and stays recorded
};

struct UndoFlags {
    bool keep_services = false, keep_repo_changes = false;
};

/// The operations of one record in the order of undoing: disables, everything else, restores, each last to first. After
/// units went away a step without an operation (`op` = npos) reloads systemd.
std::vector<UndoStep> undo_steps(const LedgerJson& record, std::string_view home, UndoFlags flags);

}  // namespace ov
