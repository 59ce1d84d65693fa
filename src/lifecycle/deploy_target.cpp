#include "lifecycle/deploy_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/near_name.hpp"
#include "lifecycle/instances.hpp"

namespace ov {

namespace {

template <class Map>
std::string first_names(const Map& names, std::size_t most = 8) {
    std::string text;
    std::size_t count = 0;
    for (const auto& [name, value] : names) {
        if (count++ == most) return text + ", …";
        text += (text.empty() ? "" : ", ") + name;
    }
    return text.empty() ? "none" : text;
}

DeployNode synthetic(std::string key, std::string entity) {
    DeployNode node;
    node.key = std::move(key);
    node.target = "vm";
    node.vm = std::move(entity);
    return node;
}

bool is_vm_node(const DeployNode& node) {
    return node.target == "vm" || (node.target.empty() && !node.vm.empty());
}

/// The only VM node of this machine, or nothing when there are none or several.
const DeployNode* only_node_of(const Project& project, const VmIdentity& machine) {
    const DeployNode* only = nullptr;
    for (const auto& [key, node] : project.deploys) {
        if (!is_vm_node(node) || vm_identity(key, node) != machine) continue;
        if (only != nullptr) return nullptr;
        only = &node;
    }
    return only;
}

DeployTarget with_entity(const Project& project, DeployTarget target) {
    const auto entity = project.vms.find(target.machine.entity);
    if (entity == project.vms.end())
        throw Error(Errc::not_found,
                    fmt::format("deploy {}: no VM entity \"{}\" in the project; defined: {}. Add it under `vm:` in overthink.yml",
                                target.key, target.machine.entity, first_names(project.vms)));
    target.entity = entity->second;
    return target;
}

DeployTarget nested_target(const Project& project, const std::string& path);

DeployTarget local_target(const std::string& key, DeployNode node) {
    DeployTarget target;
    target.key = key;
    target.node = std::move(node);
    target.entity.name = target.machine.entity = "local";
    return target;
}

/// Several deploys of the entity: none of them is the instance's without being named.
const DeployNode* template_or_none(const Project& project, const std::string& entity) {
    try {
        return instance_template(project, entity);
    } catch (const Error& several) {
        if (several.code() != Errc::usage) throw;
        return nullptr;
    }
}

DeployTarget of_node(const Project& project, const std::string& key, const DeployNode& node) {
    if (node.target == "local") return local_target(key, node);
    if (!is_vm_node(node)) {
        if (node.target.empty()) throw Error(Errc::spec_invalid, fmt::format("deploy {}: no `target:`", key));
        throw Error(Errc::unsupported, fmt::format("deploy {}: target {} is not supported by this verb", key, node.target));
    }
    const VmIdentity machine = vm_identity(key, node);
    // What keeps an instance's state only says where it is; what belongs on it is its entity's deploy (decisions 59).
    if (!machine.instance.empty() && key == machine.key() && !is_authored(node))
        return with_entity(project, {key, instance_node(template_or_none(project, machine.entity), &node, machine), machine, {}});
    return with_entity(project, {key, node, machine, {}});
}

std::string absolute_or_empty(const char* value) {
    return value != nullptr && *value == '/' ? value : "";
}

std::string expand_home(const std::string& path, const OperatorPaths& paths) {
    return path.starts_with("~/") ? paths.home + path.substr(1) : path;
}

/// `host: [user@]host[:port]`; the rest is what ssh_config says.
SshDestination local_destination(const DeployTarget& target) {
    SshDestination destination;
    destination.name = target.key;
    std::string host = target.node.host;
    if (const std::size_t at = host.rfind('@'); at != std::string::npos) {
        destination.user = host.substr(0, at);
        host.erase(0, at + 1);
    }
    destination.port = 0;
    if (const std::size_t colon = host.rfind(':'); colon != std::string::npos && host.find(':') == colon) {
        const std::string port = host.substr(colon + 1);
        if (port.empty() || port.find_first_not_of("0123456789") != std::string::npos || port.size() > 5)
            throw Error(Errc::spec_invalid,
                        fmt::format("deploy {}: host: expected [user@]host[:port], got '{}'", target.key, target.node.host));
        destination.port = std::stoi(port);
        host.erase(colon);
    }
    destination.host = host;
    if (!target.node.user.empty()) destination.user = target.node.user;
    return destination;
}

/// How a nested node is entered from the machine around it.
NestedJump jump_to(const Project& project, const std::string& path, const std::string& child, const DeployNode& node) {
    const bool pod = node.target == "pod" || (node.target.empty() && node.vm.empty() && !node.image.empty());
    if (pod) return {NestedJump::Kind::podman_exec, "ov-" + child};
    if (!is_vm_node(node))
        throw Error(Errc::unsupported, fmt::format("deploy {}: target {} is not supported by this verb", path, node.target));
    const VmIdentity machine = vm_identity(child, node);
    const auto entity = project.vms.find(machine.entity);
    if (entity == project.vms.end() || !entity->second.external()) return {NestedJump::Kind::ssh, machine.domain()};
    const SshSettings& ssh = entity->second.ssh;
    return {NestedJump::Kind::ssh,
            (ssh.user.empty() ? "" : ssh.user + "@") + ssh.host + (ssh.port ? fmt::format(":{}", *ssh.port) : "")};
}

/// `lab.web`: a deploy inside the machine of another one (`cli-and-config.md` 6.2 and 6.4).
DeployTarget nested_target(const Project& project, const std::string& path) {
    std::vector<std::string> parts(1);
    for (const char c : path) {
        if (c == '.')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    if (std::ranges::find(parts, "") != parts.end())
        throw Error(Errc::usage, fmt::format("{}: an empty part between dots", path));
    DeployTarget target;
    target.outer = std::make_shared<const DeployTarget>(resolve_target(project, parts.front(), false));
    const DeployNode* node = &target.outer->node;
    std::string above = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto child = node->nested.find(parts[i]);
        if (child == node->nested.end())
            throw Error(Errc::not_found, fmt::format("{}: no {} in {}; available nested children: {}", path, parts[i], above,
                                                     first_names(node->nested)));
        node = &child->second;
        above += "." + parts[i];
        if (node->target != "local") target.jumps.push_back(jump_to(project, path, parts[i], *node));
    }
    target.key = path;
    target.node = *node;
    target.machine = vm_identity(parts.back(), *node);
    if (!is_vm_node(*node)) {
        target.node.target = "pod";
        target.pod_image = std::exchange(target.node.image, {});  // it is what the container runs, not a list of layers
    }
    // Reached over its outer machine alone, whatever it is.
    target.entity.name = target.machine.entity;
    target.entity.source_kind = "external";
    if (const auto entity = project.vms.find(target.machine.entity); entity != project.vms.end()) {
        target.entity.eval = entity->second.eval;
        target.entity.deploy_eval = entity->second.deploy_eval;
        target.entity.where = entity->second.where;
        target.entity.source_distro = entity->second.source_distro;
    }
    target.entity.ssh.host = target.jumps.empty() ? path : target.jumps.back().target;
    return target;
}

}  // namespace

DeployTarget resolve_target(const Project& project, std::string_view name, bool for_add) {
    const std::string key(name);
    if (name.starts_with("vm:") && name.find('.') == std::string_view::npos) {
        const DeployKey parts = split_deploy_key(name);
        const VmIdentity machine{parts.base.substr(3), parts.instance};
        if (machine.entity.empty()) throw Error(Errc::usage, fmt::format("{}: no entity after `vm:`", key));
        if (const auto exact = project.deploys.find(name); exact != project.deploys.end())
            return of_node(project, key, exact->second);
        if (const DeployNode* only = only_node_of(project, machine)) return of_node(project, key, *only);
        if (!machine.instance.empty())
            return with_entity(project,
                               {key, instance_node(template_or_none(project, machine.entity), nullptr, machine), machine, {}});
        return with_entity(project, {key, synthetic(key, machine.entity), machine, {}});
    }
    if (const auto found = project.deploys.find(name); found != project.deploys.end())
        return of_node(project, key, found->second);
    if (name == "local" || name == ".") {
        DeployNode node;
        node.key = "local";
        node.target = "local";
        return local_target("local", std::move(node));
    }
    if (name.find('.') != std::string_view::npos) return nested_target(project, key);
    if (project.vms.contains(name)) {
        if (for_add)
            throw Error(Errc::not_found,
                        fmt::format("{} is a VM entity, not a deploy; to deploy to it directly: vm:{}", key, key));
        const VmIdentity machine{key, {}};
        if (const DeployNode* only = only_node_of(project, machine)) return of_node(project, only->key, *only);
        return with_entity(project, {"vm:" + key, synthetic("vm:" + key, key), machine, {}});
    }
    std::vector<std::string> known;
    for (const auto& [deploy, node] : project.deploys) known.push_back(deploy);
    for (const auto& [entity, vm] : project.vms) known.push_back(entity);
    throw Error(Errc::not_found, fmt::format("no deploy {}; available deployments: {}{}", key, first_names(project.deploys),
                                             did_you_mean(key, known)));
}

std::vector<DeployTarget> all_targets(const Project& project) {
    std::vector<DeployTarget> targets;
    for (const auto& [key, node] : project.deploys)
        // An entry that only keeps the state of an entity's own machine is no deploy; the authored one of that machine is here
        // too.
        if (is_vm_node(node) && (is_authored(node) || !vm_identity(key, node).instance.empty()))
            targets.push_back(of_node(project, key, node));
    return targets;
}

OperatorPaths operator_paths() {
    OperatorPaths paths;
    paths.home = absolute_or_empty(std::getenv("HOME"));
    if (paths.home.empty()) throw Error(Errc::usage, "HOME is not set to an absolute path");
    paths.config = absolute_or_empty(std::getenv("XDG_CONFIG_HOME"));
    if (paths.config.empty()) paths.config = paths.home + "/.config";
    paths.repositories = absolute_or_empty(std::getenv("OV_REPO_CACHE"));
    if (paths.repositories.empty()) paths.repositories = paths.home + "/.cache/ov/repos";
    return paths;
}

SshDestination destination_of(const DeployTarget& target, const OperatorPaths& paths) {
    if (target.is_local()) return local_destination(target);
    if (!target.entity.external())
        throw Error(Errc::not_found, fmt::format("deploy {}: VM \"{}\" is not defined on this host; run: ov vm create {}",
                                                 target.key, target.machine.domain().substr(3), target.machine.entity));
    const SshSettings& ssh = target.entity.ssh;
    SshDestination destination;
    destination.name = target.key;
    destination.host = ssh.host;
    destination.port = ssh.port.value_or(0);
    destination.user = ssh.user;
    if (!ssh.identity.empty()) destination.identities = {expand_home(ssh.identity, paths)};
    destination.known_hosts = {ssh.known_hosts.empty() ? paths.vm_state(target.machine) + "/known_hosts"
                                                       : expand_home(ssh.known_hosts, paths)};
    return destination;
}

}  // namespace ov
