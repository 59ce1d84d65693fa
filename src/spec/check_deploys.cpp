// Rules about deploys that only the whole, merged project can answer (`cli-and-config.md` 5.2, decisions 27).
#include <fmt/format.h>

#include "model/names.hpp"
#include "model/vm_identity.hpp"
#include "spec/decode_deploy.hpp"

namespace ov::spec {

namespace {

bool is_machine(const DeployNode& node) {
    return node.target == "vm" || !node.vm.empty() || node.key.starts_with("vm:");
}

void check_node(const DeployNode& node, const std::string& path, std::vector<Diagnostic>& findings) {
    const bool pod = node.target == "pod" || (node.target.empty() && !is_machine(node));
    if (pod && node.image.empty() && node.pod.empty())
        findings.push_back({node.where, path, "a pod deploy needs image: (or this deploy needs target:)", Severity::error});
    for (const auto& [key, child] : node.nested) check_node(child, path + "." + key, findings);
}

/// "ov-web-1" is the domain of instance 1 of `web` and of the entity `web-1`. Nested machines live on another hypervisor.
class Domains {
public:
    explicit Domains(std::vector<Diagnostic>& findings) : findings_(findings) {}

    void add(const VmIdentity& machine, const SourcePosition& where, const std::string& path) {
        const auto [first, is_new] = owners_.emplace(machine.domain(), machine);
        if (is_new || first->second == machine) return;
        findings_.push_back(
            {where, path, fmt::format("{} and {} would both be the domain {}", first->second.key(), machine.key(), first->first),
             Severity::error});
    }

private:
    std::vector<Diagnostic>& findings_;
    std::map<std::string, VmIdentity> owners_;
};

}  // namespace

void check_deploys(const Project& project, std::vector<Diagnostic>& findings) {
    Domains domains(findings);
    for (const auto& [name, vm] : project.vms)
        if (!vm.external()) domains.add({name, {}}, vm.where, "vm." + name);
    for (const auto& [key, node] : project.deploys) {
        check_node(node, "deploy." + key, findings);
        if (!is_machine(node)) continue;
        const VmIdentity machine = vm_identity(key, node);
        domains.add(machine, node.where, "deploy." + key);
        for (const std::string& name : {machine.entity, machine.instance})
            if (!name.empty() && !is_valid_entity_name(name))
                findings.push_back({node.where, "deploy." + key,
                                    fmt::format("\"{}\" is no name for a VM: {}", name, entity_name_rule), Severity::error});
    }
}

}  // namespace ov::spec
