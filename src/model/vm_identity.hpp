// Which machine a deploy key means (`cli-and-config.md` 6.1, 6.3).
#pragma once

#include <string>
#include <string_view>

#include "ov/project.hpp"

namespace ov {

struct VmIdentity {
    std::string entity, instance;
    /// "ov-web", "ov-web-2": name of the domain, the ssh alias and the state directory.
    std::string domain() const { return instance.empty() ? "ov-" + entity : "ov-" + entity + "-" + instance; }
    /// "vm:web", "vm:web/2": key of its state, and the target name in ledger records.
    std::string key() const { return instance.empty() ? "vm:" + entity : "vm:" + entity + "/" + instance; }
    bool operator==(const VmIdentity&) const = default;
};

/// Base and instance of a deploy key: split at the "/".
struct DeployKey {
    std::string base, instance;
};
DeployKey split_deploy_key(std::string_view key);

/// The machine behind a VM node: its `vm:`, else the `vm:` prefix of the key, else the key itself without its instance.
VmIdentity vm_identity(std::string_view key, const DeployNode& node);

/// The state known about a machine (`cli-and-config.md` 5.4, "Reading state"), or nullptr.
const VmState* find_vm_state(const DeployMap& deploys, const VmIdentity& machine, std::string_view addressed_key);

}  // namespace ov
