// VMs as the command line names them: "web", "web/1", "vm:web/1".
#pragma once

#include <string>
#include <string_view>

#include "model/vm_identity.hpp"
#include "ov/project.hpp"

namespace ov::cli {

VmIdentity named_vm(std::string_view name);

/// `; did you mean "web"?` for a name that is no entity of the project and near to one; else nothing.
std::string near_vm(const Project& project, const std::string& entity);

/// The entity's decoded body. Error{not_found} naming the nearest entity; Error{unsupported} for an external machine, which has
/// no hypervisor side.
const VmSpec& find_vm_spec(const Project& project, const std::string& entity);

}  // namespace ov::cli
