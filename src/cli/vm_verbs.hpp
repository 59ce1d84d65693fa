// What the verbs that change machines have in common on the command line: the project with the host's deploys, the loop, Ctrl-C.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>

#include "cli/app_context.hpp"
#include "lifecycle/vm_context.hpp"

namespace ov::cli {

/// `if_there`: verbs that work on machines without their definition do so where there is no project file. `no`: only this host's
/// state is read, which is quick.
enum class NeedsProject { yes, if_there, no };

/// Loads the project of `-C` with this host's deploy.yml and runs `work` on a loop of its own. SIGINT and SIGTERM cancel the
/// deadline, a second one leaves at once; notes and progress go to standard error.
void run_vm_work(AppContext& app, std::function<asio::awaitable<void>(VmContext&, Deadline)> work,
                 NeedsProject needs = NeedsProject::yes);

/// "web", "web/1", "vm:web/1" and `-i`.
VmIdentity machine_of(const std::string& name, const std::string& instance);

}  // namespace ov::cli
