#include "ov/vm_validate.hpp"

#include <algorithm>

#include "model/names.hpp"
#include "model/vm_check.hpp"
#include "model/vm_identity.hpp"
#include "ov/project.hpp"

namespace ov {

namespace {

/// What cannot be the same for two machines of one entity (decisions 30).
void check_instances(VmCheck& check) {
    if (check.options.instances <= 1) return;
    const VmSpec& spec = check.spec;
    const std::string because = fmt::format("cannot be the same for {} instances", check.options.instances);
    check.refuse("network.port_forwards", !spec.network.port_forwards.empty(), "a fixed port of the host " + because);
    check.refuse("network.mac", !spec.network.mac.empty(), "a fixed address " + because);
    check.refuse("libvirt.devices.hostdevs", !spec.libvirt.devices.hostdevs.empty(), "a device of the host " + because);
    const auto& nics = spec.libvirt.devices.interfaces;
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const std::string path = item_path("libvirt.devices.interfaces", i);
        check.refuse(path + ".mac", !nics[i].mac.empty(), "a fixed address " + because);
        check.refuse(path + ".port_forwards", !nics[i].port_forwards.empty(), "a fixed port of the host " + because);
    }
}

}  // namespace

std::vector<Diagnostic> validate(const VmSpec& spec, const HostFacts& facts, const ValidateOptions& options) {
    std::vector<Diagnostic> findings;
    VmCheck check(spec, facts, options, findings);
    if (!is_valid_entity_name(spec.name))
        check.error("", fmt::format("\"{}\" is no name for a VM: {}", spec.name, entity_name_rule));
    using Rule = void (*)(VmCheck&);
    constexpr Rule rules[] = {check_source,     check_machine,   check_access,   check_features,    check_cpu,
                              check_clock,      check_tuning,    check_security, check_disks,       check_interfaces,
                              check_characters, check_displays,  check_hostdevs, check_filesystems, check_small_devices,
                              check_cloud_init, check_snapshots, check_texts,    check_instances};
    for (const Rule rule : rules) rule(check);
    if (options.host_rules) check_host(check);
    sort_by_position(findings);
    return findings;
}

std::vector<Diagnostic> validate_entities(const std::map<std::string, VmSpecPtr, std::less<>>& specs) {
    std::vector<Diagnostic> findings;
    for (const auto& [name, spec] : specs) {
        if (!spec || spec->source.kind != "clone" || spec->source.from_vm.empty()) continue;
        const std::string& parent = spec->source.from_vm;
        if (!specs.contains(parent)) {
            findings.push_back(spec->finding("source.from_vm", fmt::format("there is no VM entity '{}'", parent)));
            continue;
        }
        // Follow the parents; coming back to this entity is a circle. A circle that it only leads into is its members' finding.
        std::vector<std::string> chain{name};
        for (std::string next = parent; chain.size() <= specs.size();) {
            chain.push_back(next);
            const auto found = specs.find(next);
            if (next == name || found == specs.end() || !found->second || found->second->source.kind != "clone") break;
            next = found->second->source.from_vm;
        }
        if (chain.size() > 2 && chain.back() == name)
            findings.push_back(spec->finding("source.from_vm", fmt::format("clones in a circle: {}", join(chain, " -> "))));
    }
    sort_by_position(findings);
    return findings;
}

std::vector<Diagnostic> validate_vm_names(const Project& project) {
    std::map<std::string, VmSpecPtr, std::less<>> specs;
    std::map<std::string, std::string> domains;
    for (const auto& [name, entity] : project.vms) {
        specs.emplace(name, entity.spec);
        domains.emplace(VmIdentity{name, {}}.domain(), name);
    }
    std::vector<Diagnostic> findings = validate_entities(specs);
    for (const auto& [key, node] : project.deploys) {
        if (node.target != "vm") continue;
        const VmIdentity machine = vm_identity(key, node);
        const auto taken = domains.find(machine.domain());
        if (!machine.instance.empty() && taken != domains.end())
            findings.push_back({node.where, "deploy." + key,
                                fmt::format("instance {} of '{}' and the entity '{}' would share the domain {}", machine.instance,
                                            machine.entity, taken->second, machine.domain()),
                                Severity::error});
    }
    return findings;
}

VmSpec apply_override(const VmSpec& spec, const InstanceOverride& instance) {
    VmSpec merged = spec;
    const auto append = [&](auto& list, const auto& more, const std::string& path) {
        for (std::size_t i = 0; i < more.size(); ++i) {
            const YamlNode* node = instance.places.node(item_path(path, i));
            if (node != nullptr)
                merged.places.add(item_path(path, list.size()), instance.file, std::make_shared<const YamlNode>(*node));
            list.push_back(more[i]);
        }
    };
    append(merged.libvirt.devices.hostdevs, instance.hostdevs, "libvirt.devices.hostdevs");
    append(merged.libvirt.devices.filesystems, instance.filesystems, "libvirt.devices.filesystems");
    return merged;
}

}  // namespace ov
