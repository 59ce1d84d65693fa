// Scripts of package steps: repositories before, the install itself, clean-up after (`layer-format.md` 4.3 and 4.4).
#pragma once

#include "plan/step_script.hpp"

namespace ov {

GuestStep render_packages(const SystemPackagesStep& step);

}  // namespace ov
