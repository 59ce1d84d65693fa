// `deploy del --purge`: what is known about the machine goes too (`cli-and-config.md` 5.6).
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "lifecycle/vm_context.hpp"
#include "state/deploy_config.hpp"

namespace ov {

/// Drops `vm_state` of this entry alone, and the entry when nothing but `target` and `vm` is left of one that was made for it
/// (its key starts `vm:`, or the project has the deploy). False: it had none.
bool purge_entry(state::DeployDocument& document, const std::string& key, const DeployMap& project);

/// The same on the host's file. Says where the machine's state is when it is not in this entry.
asio::awaitable<void> purge_deploy(VmContext& context, std::string key, VmIdentity machine, Deadline deadline);

}  // namespace ov
