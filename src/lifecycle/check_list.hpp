// Which checks a machine gets and what they may refer to (`checks.md` 4, 5 and 11).
#pragma once

#include <string>
#include <vector>

#include "lifecycle/deploy_target.hpp"
#include "lifecycle/plan_book.hpp"
#include "ov/check_run.hpp"

namespace ov {

/// What `--section` and `--filter` choose; empty: everything.
struct CheckChoice {
    std::string section;  ///< "layer", "image" or "deploy"
    std::vector<std::string> verbs;
};

/// Throws Error{usage} naming an unknown section or verb, with those there are.
void check_choice(const CheckChoice& choice);

/// In the order in which they run. Throws SpecError with every finding; a layer that is not there becomes a note.
std::vector<Check> checks_of(const Project& project, const DeployTarget& target, const PlanInputs& inputs,
                             const CheckChoice& choice, std::vector<std::string>& notes);

/// Everything but HOME, which the machine tells. `port`, `user`: how it is reached.
CheckVariables check_variables(const DeployTarget& target, int port, const std::string& user);

}  // namespace ov
