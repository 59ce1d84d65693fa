#include "cli/vm_entity_ref.hpp"

#include <fmt/format.h>

#include "base/near_name.hpp"

namespace ov::cli {

VmIdentity named_vm(std::string_view name) {
    if (name.starts_with("vm:")) name.remove_prefix(3);
    const DeployKey key = split_deploy_key(name);
    return {key.base, key.instance};
}

std::string near_vm(const Project& project, const std::string& entity) {
    if (project.vms.contains(entity)) return {};
    std::vector<std::string_view> names;
    for (const auto& [name, vm] : project.vms) names.push_back(name);
    return did_you_mean(entity, names);
}

const VmSpec& find_vm_spec(const Project& project, const std::string& entity) {
    const auto found = project.vms.find(entity);
    if (found == project.vms.end())
        throw Error(Errc::not_found, fmt::format("the project has no VM {}{}", entity, near_vm(project, entity)));
    if (!found->second.spec)
        throw Error(Errc::unsupported, fmt::format("{} is an external machine: it has no hypervisor side", entity));
    return *found->second.spec;
}

}  // namespace ov::cli
