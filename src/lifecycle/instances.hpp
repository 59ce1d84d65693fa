// Instances of an entity as deploy targets: `vm:<entity>/1` ... (decisions 30, 58, 59).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lifecycle/deploy_target.hpp"

namespace ov {

/// Whether somebody wrote the node, or it only keeps the state of a machine.
bool is_authored(const DeployNode& node);

/// The node whose fields the instances of `entity` inherit: `vm:<entity>`, else the only authored node of that entity without
/// instance. `from` names another. Nullptr when there is none; Error{usage} naming them when there are several and no `from`.
const DeployNode* instance_template(const Project& project, const std::string& entity, const std::string& from = {});

/// `template_node` as the node of an instance: its own machine, no state; what `own` (may be null) sets replaces it field by
/// field.
DeployNode instance_node(const DeployNode* template_node, const DeployNode* own, const VmIdentity& machine);

/// `vm:<entity>/1` to `/count`, in order.
std::vector<DeployTarget> instance_targets(const Project& project, const std::string& entity, long long count,
                                           const std::string& from = {});

/// The instances that state knows, by number, then by name.
std::vector<DeployTarget> known_instances(const Project& project, const std::string& entity);

}  // namespace ov
