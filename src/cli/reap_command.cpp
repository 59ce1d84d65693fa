#include "cli/reap_command.hpp"

#include <fmt/format.h>

#include <ostream>

#include "cli/vm_verbs.hpp"
#include "lifecycle/ephemeral.hpp"

namespace ov::cli {

namespace {

asio::awaitable<void> reap(VmContext& context, AppContext& app, Deadline deadline) {
    Hypervisors hypervisors(context);
    const std::vector<ReapedOrphan> orphans = co_await reap_orphans(context, hypervisors, deadline);
    for (const ReapedOrphan& orphan : orphans) {
        if (orphan.failure.empty())
            app.out << fmt::format("reaped {}: {}\n", orphan.key, orphan.why);
        else
            app.err << fmt::format("ov: error: {} ({}): {}\n", orphan.key, orphan.why, orphan.failure);
        if (!orphan.failure.empty()) app.exit_status = 1;
    }
    if (orphans.empty()) app.err << "no orphans\n";
    co_await hypervisors.close(deadline);
}

}  // namespace

void add_reap_orphans(CLI::App& app, AppContext& context) {
    CLI::App* verb = app.add_subcommand("reap-orphans", "Take down ephemeral machines whose time is over or that are gone");
    verb->footer("Example:\n  ov reap-orphans");
    verb->callback([&context] {
        context.action = [&context] {
            run_vm_work(
                context, [&context](VmContext& vms, Deadline deadline) { return reap(vms, context, deadline); },
                NeedsProject::if_there);
        };
    });
}

}  // namespace ov::cli
