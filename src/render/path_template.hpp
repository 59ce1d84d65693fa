// Socket paths with variables: `{{.VmStateDir}}` and `{{.VmName}}`, blanks allowed inside the braces.
#pragma once

#include <string>

#include "ov/vm_runtime.hpp"

namespace ov::render {

/// The path with its variables put in; a relative one lies below the state directory. Text with an unknown or malformed
/// variable stays as it is (`validate` names it), and so does an empty one.
std::string expand_path(const std::string& path, const VmRuntime& runtime);

}  // namespace ov::render
