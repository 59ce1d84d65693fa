// A session libvirt's machines at boot: its own autostart flag fires only once its daemon runs, and nothing starts that; a user
// unit and lingering do (`vm-lifecycle.md` 7.1, W13).
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "lifecycle/vm_context.hpp"

namespace ov {

/// Text of the unit. Starting a machine that runs already is no failure of the unit. Error{usage} for a domain that would need
/// quoting.
std::string autostart_unit(const std::string& domain, const std::string& virsh, const std::string& uri);
std::string autostart_unit_name(const std::string& domain);

/// Lingering, the unit, enabled. What does not work is said with the command that does it; it never fails the create. Nothing to
/// do for qemu:///system, whose daemon the host starts.
asio::awaitable<void> ensure_autostart(VmContext& context, std::string domain, std::string uri, Deadline deadline);
/// Silent when there is none.
asio::awaitable<void> remove_autostart(VmContext& context, std::string domain, Deadline deadline);

}  // namespace ov
