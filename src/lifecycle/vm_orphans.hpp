// libvirt domains of ours that nothing on this host belongs to any more (`vm list --clean-orphans`, W21).
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "lifecycle/hypervisors.hpp"

namespace ov {

/// Names of domains that are shut off and have neither a state directory nor a disk that exists.
asio::awaitable<std::vector<std::string>> find_orphans(VmContext& context, Hypervisors& hypervisors, Deadline deadline);
asio::awaitable<void> undefine_orphan(VmContext& context, Hypervisors& hypervisors, std::string name, Deadline deadline);

}  // namespace ov
