#include "lifecycle/instances.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/names.hpp"

namespace ov {

namespace {

bool is_vm(const DeployNode& node) {
    return node.target == "vm" || (node.target.empty() && !node.vm.empty());
}

template <class T>
void lay(T& into, const T& over) {
    if (!over.empty()) into = over;
}
template <class T>
void lay(std::optional<T>& into, const std::optional<T>& over) {
    if (over) into = over;
}

/// Field by field, a set one replaces (`cli-and-config.md` 5.5).
void overlay(DeployNode& node, const DeployNode& own) {
    lay(node.image, own.image);
    lay(node.version, own.version);
    lay(node.lifecycle, own.lifecycle);
    lay(node.add_layers, own.add_layers);
    lay(node.env, own.env);
    lay(node.tags, own.tags);
    lay(node.ram, own.ram);
    lay(node.disk_size, own.disk_size);
    lay(node.cpus, own.cpus);
    lay(node.disposable, own.disposable);
    lay(node.install.with_services, own.install.with_services);
    lay(node.install.allow_repo_changes, own.install.allow_repo_changes);
    lay(node.install.allow_root_tasks, own.install.allow_root_tasks);
    lay(node.install.skip_incompatible, own.install.skip_incompatible);
    lay(node.install.verify, own.install.verify);
    lay(node.install.builder_image, own.install.builder_image);
    if (own.eval) node.eval = own.eval;
    if (own.body) node.body = own.body;
}

const VmEntity& entity_of(const Project& project, const std::string& entity) {
    const auto found = project.vms.find(entity);
    if (found == project.vms.end()) {
        std::string names;
        for (const auto& [name, known] : project.vms) names += (names.empty() ? "" : ", ") + name;
        throw Error(Errc::not_found,
                    fmt::format("no VM entity \"{}\" in the project; defined: {}", entity, names.empty() ? "none" : names));
    }
    if (found->second.external())
        throw Error(Errc::unsupported,
                    fmt::format("{} is an external machine (source.kind: external): it has no instances to bring up", entity));
    return found->second;
}

DeployTarget target_of(const Project& project, const VmEntity& entity, const std::string& instance, const std::string& from) {
    const VmIdentity machine{entity.name, instance};
    const auto own = project.deploys.find(machine.key());
    const DeployNode* exact = own != project.deploys.end() ? &own->second : nullptr;
    return {machine.key(), instance_node(instance_template(project, entity.name, from), exact, machine), machine, entity};
}

bool by_number(const std::string& a, const std::string& b) {
    const auto number = [](const std::string& text) {
        return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos ? std::stol(text)
                                                                                                              : -1;
    };
    const long left = number(a), right = number(b);
    if (left >= 0 && right >= 0 && left != right) return left < right;
    if ((left >= 0) != (right >= 0)) return left >= 0;
    return a < b;
}

}  // namespace

bool is_authored(const DeployNode& node) {
    // Only entries of the form vm:<entity> are ever made by a verb.
    if (!node.body || !node.key.starts_with("vm:")) return true;
    return std::any_of(node.body->entries.begin(), node.body->entries.end(), [](const YamlEntry& entry) {
        return entry.key != "target" && entry.key != "vm" && entry.key != "vm_state";
    });
}

const DeployNode* instance_template(const Project& project, const std::string& entity, const std::string& from) {
    if (!from.empty()) {
        const auto named = project.deploys.find(from);
        if (named == project.deploys.end()) throw Error(Errc::not_found, fmt::format("--from {}: no such deploy", from));
        if (!is_vm(named->second)) throw Error(Errc::usage, fmt::format("--from {}: it does not deploy to a VM", from));
        return &named->second;
    }
    const auto own = project.deploys.find("vm:" + entity);
    if (own != project.deploys.end() && is_authored(own->second)) return &own->second;
    const DeployNode* only = nullptr;
    std::string names;
    for (const auto& [key, node] : project.deploys) {
        if (!is_vm(node) || vm_identity(key, node) != VmIdentity{entity, {}} || !is_authored(node)) continue;
        names += (names.empty() ? "" : ", ") + key;
        only = only == nullptr ? &node : only;
    }
    if (names.find(',') != std::string::npos)
        throw Error(Errc::usage,
                    fmt::format("several deploys are of the entity {}: {}; say which one the instances follow: --from KEY",
                                entity, names));
    return only;
}

DeployNode instance_node(const DeployNode* template_node, const DeployNode* own, const VmIdentity& machine) {
    DeployNode node;
    if (template_node != nullptr) node = *template_node;
    node.vm_state.reset();
    if (own != nullptr) {
        overlay(node, *own);
        node.vm_state = own->vm_state;
        node.where = own->where;
    }
    node.key = machine.key();
    node.target = "vm";
    node.vm = machine.entity;
    return node;
}

std::vector<DeployTarget> instance_targets(const Project& project, const std::string& entity, long long count,
                                           const std::string& from) {
    const VmEntity& found = entity_of(project, entity);
    std::vector<DeployTarget> targets;
    for (long long i = 1; i <= count; ++i) targets.push_back(target_of(project, found, std::to_string(i), from));
    return targets;
}

std::vector<DeployTarget> known_instances(const Project& project, const std::string& entity) {
    const VmEntity& found = entity_of(project, entity);
    std::vector<std::string> instances;
    for (const auto& [key, node] : project.deploys) {
        if (!is_vm(node) || !node.vm_state) continue;
        const VmIdentity machine = vm_identity(key, node);
        if (machine.entity != entity || machine.instance.empty()) continue;
        if (std::find(instances.begin(), instances.end(), machine.instance) == instances.end())
            instances.push_back(machine.instance);
    }
    std::sort(instances.begin(), instances.end(), by_number);
    std::vector<DeployTarget> targets;
    for (const std::string& instance : instances) {
        const VmIdentity machine{entity, instance};
        const auto own = project.deploys.find(machine.key());
        targets.push_back({machine.key(), instance_node(nullptr, own != project.deploys.end() ? &own->second : nullptr, machine),
                           machine, found});
    }
    return targets;
}

}  // namespace ov
