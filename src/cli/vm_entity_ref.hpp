// VMs as the command line names them: "web", "web/1", "vm:web/1".
#pragma once

#include <string>
#include <string_view>

#include "model/vm_identity.hpp"
#include "ov/project.hpp"

namespace ov::cli {

VmIdentity named_vm(std::string_view name);

/// The entity's decoded body. Error{not_found} naming the nearest entity; Error{unsupported} for an external machine, which has
/// no hypervisor side.
const VmSpec& find_vm_spec(const Project& project, const std::string& entity);

}  // namespace ov::cli
