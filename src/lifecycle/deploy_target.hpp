// From the name a person typed to the machine that is meant (`cli-and-config.md` 6).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/nested_launcher.hpp"
#include "exec/ssh_destination.hpp"
#include "model/vm_identity.hpp"
#include "ov/project.hpp"

namespace ov {

struct DeployTarget {
    std::string key;  ///< deploy key; base of the deploy id
    DeployNode node;
    VmIdentity machine;
    VmEntity entity;  ///< of a local target: its name only
    /// A nested deploy (`lab.web`): the machine outside, and the way from there to here.
    std::shared_ptr<const DeployTarget> outer{};
    std::vector<NestedJump> jumps{};
    std::string pod_image{};  ///< of a nested pod: what its container is made from

    /// `target: local`: a machine of people, this one or (`host:`) another one that is reached over SSH.
    bool is_local() const { return node.target == "local"; }
    bool is_this_host() const { return is_local() && node.host.empty(); }
    /// A VM that this program makes, starts and stops.
    bool is_managed() const { return !is_local() && !entity.external(); }
    /// Name of the machine in ledger records, whatever key was typed.
    std::string ledger_name() const {
        if (outer && node.target == "pod") return "pod:" + key.substr(key.rfind('.') + 1);
        return is_local() ? "host" : machine.key();
    }
    /// The machine itself: deploys with equal text are never worked on at the same time.
    std::string machine_name() const {
        if (outer) return outer->machine_name() + "/" + key;
        return is_local() ? "host:" + node.host : machine.key();
    }
};

/// Throws Error{not_found} naming the key with the deploys there are, or the entity with the entities there are;
/// Error{unsupported} for targets that are no VM. `for_add`: a bare entity name needs the form `vm:<entity>` then.
DeployTarget resolve_target(const Project& project, std::string_view name, bool for_add);

/// Every VM node of the merged tree, and every machine that only state knows, ordered by key.
std::vector<DeployTarget> all_targets(const Project& project);

/// Operator's directories, resolved once (`cli-and-config.md` 4.1).
struct OperatorPaths {
    std::string home;          ///< $HOME
    std::string config;        ///< $XDG_CONFIG_HOME if absolute, else $HOME/.config
    std::string repositories;  ///< $OV_REPO_CACHE, else $HOME/.cache/ov/repos
    std::string deploy_file() const { return config + "/ov/deploy.yml"; }
    std::string settings_file() const { return config + "/ov/config.yml"; }
    std::string vm_state(const VmIdentity& machine) const { return home + "/.local/share/ov/vm/" + machine.domain(); }
};
OperatorPaths operator_paths();

/// How to reach the machine. Throws Error{not_found} naming `ov vm create` for a VM that is not defined on this host.
SshDestination destination_of(const DeployTarget& target, const OperatorPaths& paths);

}  // namespace ov
