#include "model/vm_identity.hpp"

namespace ov {

DeployKey split_deploy_key(std::string_view key) {
    const std::size_t slash = key.find('/');
    if (slash == std::string_view::npos) return {std::string(key), {}};
    return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

VmIdentity vm_identity(std::string_view key, const DeployNode& node) {
    const DeployKey parts = split_deploy_key(key);
    VmIdentity machine{node.vm, parts.instance};
    if (machine.entity.empty())
        machine.entity = parts.base.starts_with("vm:") ? parts.base.substr(3) : parts.base.substr(parts.base.rfind('.') + 1);
    return machine;
}

const VmState* find_vm_state(const DeployMap& deploys, const VmIdentity& machine, std::string_view addressed_key) {
    for (const std::string& key : {machine.key(), std::string(addressed_key)}) {
        const auto found = deploys.find(key);
        if (found != deploys.end() && found->second.vm_state) return &*found->second.vm_state;
    }
    const VmState* only = nullptr;
    for (const auto& [key, node] : deploys) {
        if (node.target != "vm" || node.vm.empty() || !node.vm_state || vm_identity(key, node) != machine) continue;
        if (only != nullptr) return nullptr;
        only = &*node.vm_state;
    }
    return only;
}

}  // namespace ov
