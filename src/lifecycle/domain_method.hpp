// Methods of a machine's libvirt domain and of its displays, for checks (`checks.md` 9).
#pragma once

#include <asio/awaitable.hpp>
#include <set>
#include <string>
#include <vector>

#include "lifecycle/hypervisors.hpp"
#include "ov/check.hpp"
#include "ov/executor.hpp"

namespace ov {

/// The words behind `virsh -c URI`. Empty for a method that is not one command of virsh.
std::vector<std::string> virsh_words(const Check& check, const std::string& domain);

/// Runs the method in `directory`. Throws Error{unsupported} naming the backend of a machine that libvirt does not have.
asio::awaitable<CommandResult> run_domain_method(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Check check,
                                                 std::string directory, Deadline deadline);

/// Types of the displays of the machine's domain as it runs; those of its entity while there is no domain. QEMU machines have
/// none.
asio::awaitable<std::set<std::string>> display_types(VmContext& context, Hypervisors& hypervisors, VmIdentity machine,
                                                     Deadline deadline);

}  // namespace ov
