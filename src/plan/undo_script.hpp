// What takes one reverse operation back, as text for bash (`ledger.md` section 7.2, decisions 54). Pure.
#pragma once

#include <string>
#include <string_view>

#include "ov/install_plan.hpp"
#include "ov/run_as.hpp"
#include "plan/guest_library.hpp"

namespace ov {

/// The flag of `deploy del` that leaves an operation's effect in place.
enum class KeptBy { nothing, keep_services, keep_repo_changes };

struct UndoScript {
    RunAs as = RunAs::root;
    std::string text;  ///< empty: nothing to do
    GuestParts library;
    KeptBy kept_by = KeptBy::nothing;
    bool may_fail = false;       ///< a failure is not reported
    bool reloads_units = false;  ///< systemd must read its units again afterwards
    int pass = 2;                ///< 1: disables, 2: everything else, 3: restores (`ledger.md` 7.3)
};

/// `home` stands in for the home spellings that older records hold. Throws Error{unsupported} naming an unknown kind or format.
UndoScript render_undo(const ReverseOp& op, std::string_view home);

}  // namespace ov
