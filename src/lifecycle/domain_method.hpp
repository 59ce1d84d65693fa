// Methods of a machine's libvirt domain, for checks (`checks.md` 9): each is a command of virsh.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "lifecycle/hypervisors.hpp"
#include "ov/check.hpp"
#include "ov/executor.hpp"

namespace ov {

/// The words behind `virsh -c URI`. Empty for a method that virsh has no command for.
std::vector<std::string> virsh_words(const Check& check, const std::string& domain);

/// Runs the method in `directory`. Throws Error{unsupported} naming the backend of a machine that libvirt does not have.
asio::awaitable<CommandResult> run_domain_method(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Check check,
                                                 std::string directory, Deadline deadline);

}  // namespace ov
