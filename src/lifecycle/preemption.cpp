#include "lifecycle/preemption.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "deploy/clock.hpp"
#include "lifecycle/undo.hpp"
#include "lifecycle/vm_power.hpp"
#include "model/yaml_writer.hpp"

namespace ov {

namespace {

constexpr auto patience = std::chrono::seconds(180);

std::string book_of(const VmContext& context) {
    return context.paths.home + "/.local/share/ov/preemption/leases.yml";
}

bool left_to_caller() {
    const char* lease = std::getenv("OV_PREEMPT_LEASE");
    return lease != nullptr && *lease != '\0';
}

VmIdentity identity_of(const state::Lease& lease) {
    return {lease.entity, lease.instance};
}

std::vector<std::string> common(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    std::vector<std::string> both;
    for (const std::string& token : a)
        if (std::find(b.begin(), b.end(), token) != b.end()) both.push_back(token);
    return both;
}

struct Claim {
    std::string claimant;
    std::vector<std::string> tokens;
};

/// What the deploys of the machine claim; the first that does is the claimant.
Claim claim_of(const VmContext& context, const VmIdentity& machine) {
    for (const auto& [key, node] : context.project->deploys) {
        if (node.target != "vm" || !(vm_identity(key, node) == machine)) continue;
        Exclusive exclusive = exclusive_of(node);
        if (!exclusive.requires_.empty()) return {key, std::move(exclusive.requires_)};
    }
    return {};
}

asio::awaitable<bool> runs(Hypervisors& hypervisors, VmIdentity machine, Deadline deadline) {
    const LocatedVm found = co_await hypervisors.locate(machine, deadline);
    if (found.backend == nullptr) co_return false;
    co_return is_active(found.state);
}

/// The machine of a deploy key, as the book has it.
VmIdentity machine_at(const VmContext& context, const std::string& key) {
    const auto found = context.project->deploys.find(key);
    return vm_identity(key, found != context.project->deploys.end() ? found->second : DeployNode{});
}

/// Starts what is off. Those that do not start.
asio::awaitable<std::vector<state::Preempted>> start_again(VmContext& context, Hypervisors& hypervisors,
                                                           std::vector<state::Preempted> holders, Deadline deadline) {
    std::vector<state::Preempted> failed;
    for (const state::Preempted& holder : holders) {
        std::string failure;
        try {
            const VmIdentity machine = machine_at(context, holder.address);
            const MachineState before = co_await start_vm(context, hypervisors, machine, deadline);
            if (before != MachineState::running) context.say(fmt::format("{} is started again", holder.address));
        } catch (const Error& error) {
            if (error.code() == Errc::cancelled) throw;
            failure = error.what();
        }
        if (failure.empty()) continue;
        context.say(fmt::format("{} made way and does not start again: {}", holder.address, failure));
        failed.push_back(holder);
    }
    co_return failed;
}

using Edit = std::function<void(std::vector<state::Lease>&)>;

asio::awaitable<void> edit_book(VmContext& context, Edit edit, Deadline deadline) {
    auto work = [file = book_of(context), edit] { state::update_leases(file, edit); };
    co_await context.runtime.pool.run(deadline, std::move(work));
}

asio::awaitable<bool> release(VmContext& context, Hypervisors& hypervisors, state::Lease lease, bool succeeded,
                              Deadline deadline) {
    std::vector<state::Preempted> back;
    for (const state::Preempted& one : lease.preempted)
        if (succeeded || one.restore != "on-success") back.push_back(one);
    const std::vector<state::Preempted> failed = co_await start_again(context, hypervisors, std::move(back), deadline);
    const Edit drop = [claimant = lease.claimant, failed](std::vector<state::Lease>& leases) {
        if (failed.empty()) std::erase_if(leases, [&](const state::Lease& one) { return one.claimant == claimant; });
        for (state::Lease& one : leases)
            if (one.claimant == claimant) one.preempted = failed;
    };
    co_await edit_book(context, drop, deadline);
    co_return failed.empty();
}

/// Leases whose claimant is gone, and whose maker too.
asio::awaitable<void> reconcile(VmContext& context, Hypervisors& hypervisors, Deadline deadline) {
    const std::vector<state::Lease> leases = co_await list_leases(context, deadline);
    for (const state::Lease& lease : leases) {
        const bool making = lease.pid > 0 && (::kill(static_cast<pid_t>(lease.pid), 0) == 0 || errno == EPERM);
        const VmIdentity machine = identity_of(lease);
        if (making) continue;
        const bool alive = co_await runs(hypervisors, machine, deadline);
        if (alive) continue;
        context.say(fmt::format("the lease of {} on {} is stranded: released", lease.claimant, fmt::join(lease.tokens, ", ")));
        co_await release(context, hypervisors, lease, false, deadline);
    }
}

/// Machines that run and hold one of the tokens.
asio::awaitable<std::vector<state::Preempted>> holders_of(VmContext& context, Hypervisors& hypervisors, VmIdentity claimant,
                                                          std::vector<std::string> tokens, Deadline deadline) {
    std::vector<state::Preempted> holders;
    for (const auto& [key, node] : context.project->deploys) {
        if (node.target != "vm") continue;
        const Exclusive exclusive = exclusive_of(node);
        const VmIdentity machine = vm_identity(key, node);
        const std::vector<std::string> held = common(exclusive.holds, tokens);
        if (held.empty() || machine == claimant) continue;
        const bool running = co_await runs(hypervisors, machine, deadline);
        if (running) holders.push_back({key, held, exclusive.restore});
    }
    co_return holders;
}

/// Before the machine starts. False when no deploy of it claims anything, or it has its lease already. The lease is in the book
/// before a holder is stopped; when one does not go down, those that did are started again and the lease is dropped.
asio::awaitable<bool> acquire(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline) {
    if (left_to_caller()) co_return false;
    const Claim claim = claim_of(context, machine);
    if (claim.tokens.empty()) co_return false;
    co_await reconcile(context, hypervisors, deadline);
    state::Lease lease{claim.claimant, machine.entity, machine.instance, claim.tokens, {}, utc_now(), ::getpid()};
    lease.preempted = co_await holders_of(context, hypervisors, machine, claim.tokens, deadline);
    bool held = false;
    const Edit enter = [&held, &lease](std::vector<state::Lease>& leases) {
        for (const state::Lease& other : leases) {
            held = held || other.claimant == lease.claimant;
            const std::vector<std::string> both = common(other.tokens, lease.tokens);
            if (other.claimant != lease.claimant && !both.empty())
                throw Error(Errc::busy, fmt::format("{} is held by {} since {}; give it back with: ov preempt restore {}",
                                                    both.front(), other.claimant, other.created, other.claimant));
        }
        if (!held) leases.push_back(lease);
    };
    co_await edit_book(context, enter, deadline);
    if (held) co_return false;

    std::vector<state::Preempted> stopped;
    std::exception_ptr failure;
    try {
        for (const state::Preempted& holder : lease.preempted) {
            context.say(
                fmt::format("{} is shut down: {} needs {}", holder.address, claim.claimant, fmt::join(holder.holds, ", ")));
            const VmIdentity other = machine_at(context, holder.address);
            const StopOptions graceful{StopOptions::Way::graceful, patience};
            co_await stop_vm(context, hypervisors, other, graceful, deadline);
            stopped.push_back(holder);
        }
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!failure) co_return true;
    const Deadline undo = undo_deadline();
    lease.preempted = stopped;
    co_await release(context, hypervisors, lease, true, undo);
    std::rethrow_exception(failure);
}

}  // namespace

Exclusive exclusive_of(const DeployNode& node) {
    Exclusive exclusive;
    const auto wrong = [&](const std::string& what) {
        throw Error(Errc::spec_invalid, fmt::format("deploy {}: {}", node.key, what));
    };
    const auto tokens = [&](const YamlPtr& list, const char* key) {
        std::vector<std::string> names;
        if (!list->is_sequence()) wrong(fmt::format("{}: expected a list of names", key));
        for (const YamlPtr& item : list->items) {
            if (item->text.empty()) wrong(fmt::format("{}: an exclusive token needs a name", key));
            names.push_back(item->text);
        }
        return names;
    };
    if (const YamlPtr list = yaml_entry(node.body, "requires_exclusive"))
        exclusive.requires_ = tokens(list, "requires_exclusive");
    const YamlPtr value = yaml_entry(node.body, "preemptible");
    if (!value) return exclusive;
    if (value->is_scalar()) wrong(fmt::format("preemptible: expected a list of tokens or a mapping, got '{}'", value->text));
    YamlPtr holds = value;
    if (value->is_map()) {
        for (const YamlEntry& entry : value->entries)
            if (entry.key != "holds" && entry.key != "stop" && entry.key != "restore")
                wrong(fmt::format("preemptible: unknown key {}; it has holds, stop, restore", entry.key));
        const std::string stop = yaml_entry_text(value, "stop"), restore = yaml_entry_text(value, "restore");
        if (!stop.empty() && stop != "shutdown") wrong(fmt::format("preemptible.stop: expected shutdown, got '{}'", stop));
        if (!restore.empty() && restore != "always" && restore != "on-success")
            wrong(fmt::format("preemptible.restore: expected always or on-success, got '{}'", restore));
        if (!restore.empty()) exclusive.restore = restore;
        holds = yaml_entry(value, "holds");
    }
    if (holds && !holds->is_null()) exclusive.holds = tokens(holds, "preemptible.holds");
    if (exclusive.holds.empty()) wrong("preemptible.holds: must list at least one token");
    const std::vector<std::string> both = common(exclusive.holds, exclusive.requires_);
    if (!both.empty()) wrong(fmt::format("{} is both held and required", both.front()));
    return exclusive;
}

asio::awaitable<std::vector<state::Lease>> list_leases(VmContext& context, Deadline deadline) {
    auto read = [file = book_of(context)] { return state::load_leases(file); };
    std::vector<state::Lease> leases = co_await context.runtime.pool.run(deadline, std::move(read));
    co_return leases;
}

asio::awaitable<void> run_exclusive(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, MachineWork work,
                                    Deadline deadline) {
    const bool claimed = co_await acquire(context, hypervisors, machine, deadline);
    std::exception_ptr failure;
    try {
        co_await work();
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    if (claimed) co_await release_exclusive(context, hypervisors, machine, false, undo_deadline());
    std::rethrow_exception(failure);
}

asio::awaitable<void> release_exclusive(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, bool succeeded,
                                        Deadline deadline) {
    if (left_to_caller()) co_return;
    const std::vector<state::Lease> leases = co_await list_leases(context, deadline);
    for (const state::Lease& lease : leases) {
        if (!(identity_of(lease) == machine)) continue;
        const bool still_runs = co_await runs(hypervisors, machine, deadline);
        if (!still_runs) co_await release(context, hypervisors, lease, succeeded, deadline);
    }
}

asio::awaitable<bool> restore_preempted(VmContext& context, Hypervisors& hypervisors, std::string claimant, Deadline deadline) {
    const std::vector<state::Lease> leases = co_await list_leases(context, deadline);
    bool found = claimant.empty(), all = true;
    for (const state::Lease& lease : leases) {
        if (!claimant.empty() && lease.claimant != claimant) continue;
        found = true;
        const bool back = co_await release(context, hypervisors, lease, true, deadline);
        all = all && back;
    }
    if (!found) throw Error(Errc::not_found, fmt::format("{} has no lease; see: ov preempt status", claimant));
    co_return all;
}

}  // namespace ov
