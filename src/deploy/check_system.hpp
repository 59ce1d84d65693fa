// What a guest's answers about its accounts, interfaces, mounts and kernel parameters mean (`checks.md` 8.9 to 8.12). Pure.
#pragma once

#include "deploy/check_probe.hpp"

namespace ov {

CheckVerdict judge_user(const Check& check, const CommandResult& result);
CheckVerdict judge_group(const Check& check, const CommandResult& result);
CheckVerdict judge_interface(const Check& check, const CommandResult& result);
CheckVerdict judge_kernel_parameter(const Check& check, const CommandResult& result);
CheckVerdict judge_mount(const Check& check, const CommandResult& result);

}  // namespace ov
