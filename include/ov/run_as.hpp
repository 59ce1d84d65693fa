// The two privilege levels on a machine.
#pragma once

namespace ov {

enum class RunAs { user, root };

}  // namespace ov
