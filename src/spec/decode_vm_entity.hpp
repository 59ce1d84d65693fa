// The part of a VM entity that project loading reads itself.
#pragma once

#include <string>

#include "ov/project.hpp"
#include "spec/cursor.hpp"

namespace ov::spec {

VmEntity decode_vm_entity(const std::string& name, const Cursor& cursor);

}  // namespace ov::spec
