#include "cli/preempt_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <ostream>

#include "cli/vm_verbs.hpp"
#include "lifecycle/preemption.hpp"

namespace ov::cli {

namespace {

asio::awaitable<void> status(VmContext& context, AppContext& app, Deadline deadline) {
    const std::vector<state::Lease> leases = co_await list_leases(context, deadline);
    if (leases.empty()) {
        app.err << "no leases\n";
        co_return;
    }
    app.out << fmt::format("{:<24} {:<20} {:<22} {}\n", "CLAIMANT", "TOKENS", "SINCE", "MADE WAY");
    for (const state::Lease& lease : leases) {
        std::string names;
        for (const state::Preempted& one : lease.preempted)
            names += (names.empty() ? "" : ", ") + one.address + (one.restore == "always" ? "" : " (" + one.restore + ")");
        app.out << fmt::format("{:<24} {:<20} {:<22} {}\n", lease.claimant, fmt::format("{}", fmt::join(lease.tokens, ", ")),
                               lease.created, names.empty() ? "-" : names);
    }
}

asio::awaitable<void> restore(VmContext& context, std::string claimant, AppContext& app, Deadline deadline) {
    Hypervisors hypervisors(context);
    const bool all = co_await restore_preempted(context, hypervisors, claimant, deadline);
    if (!all) app.exit_status = 1;
    co_await hypervisors.close(deadline);
}

}  // namespace

void add_preempt(CLI::App& app, AppContext& context) {
    CLI::App* preempt = app.add_subcommand("preempt", "Exclusive resources: who holds them, who made way");
    preempt->require_subcommand(1);
    CLI::App* shown = preempt->add_subcommand("status", "Leases on exclusive resources of this host");
    shown->footer("Example:\n  ov preempt status");
    shown->callback([&context] {
        context.action = [&context] {
            run_vm_work(
                context, [&context](VmContext& vms, Deadline deadline) { return status(vms, context, deadline); },
                NeedsProject::if_there);
        };
    });
    auto claimant = std::make_shared<std::string>();
    CLI::App* back = preempt->add_subcommand("restore", "Start what made way, and drop the lease");
    back->add_option("claimant", *claimant, "Deploy that has the lease (default: all of them)");
    back->footer("Examples:\n  ov preempt restore\n  ov preempt restore training");
    preempt->footer("Examples:\n  ov preempt status\n  ov preempt restore training");
    back->callback([claimant, &context] {
        context.action = [claimant, &context] {
            run_vm_work(
                context,
                [claimant, &context](VmContext& vms, Deadline deadline) { return restore(vms, *claimant, context, deadline); },
                NeedsProject::if_there);
        };
    });
}

}  // namespace ov::cli
