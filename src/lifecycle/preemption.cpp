#include "lifecycle/preemption.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "deploy/clock.hpp"
#include "lifecycle/exclusive.hpp"
#include "lifecycle/undo.hpp"
#include "lifecycle/vm_power.hpp"

namespace ov {

namespace {

constexpr auto patience = std::chrono::seconds(180);
const std::vector<state::Preempted> nobody;

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

/// The edit goes on in its thread when the wait for it ends first, so it owns what it uses. One that has not begun by then is not
/// made any more; one that has is over when the next takes the lock of the book.
asio::awaitable<void> edit_book(VmContext& context, Edit edit, Deadline deadline) {
    struct Wait {
        std::shared_ptr<std::atomic<bool>> over = std::make_shared<std::atomic<bool>>(false);
        ~Wait() { *over = true; }
    };
    const Wait wait;
    auto work = [file = book_of(context), edit, over = wait.over] {
        const Edit unless_over = [&](std::vector<state::Lease>& leases) {
            if (*over) throw Error(Errc::cancelled, file + ": nobody waits for the edit any more");
            edit(leases);
        };
        state::update_leases(file, unless_over, [&] { return over->load(); });
    };
    co_await context.runtime.pool.run(deadline, std::move(work));
}

/// False when the lease is gone. From here on it belongs to this process: starting what made way claims in its turn, and a claim
/// reconciles.
asio::awaitable<bool> take_over(VmContext& context, std::string claimant, Deadline deadline) {
    const auto found = std::make_shared<std::atomic<bool>>(false);
    const Edit mark = [claimant, found, pid = ::getpid()](std::vector<state::Lease>& leases) {
        for (state::Lease& one : leases)
            if (one.claimant == claimant) {
                one.pid = pid;
                *found = true;
            }
    };
    co_await edit_book(context, mark, deadline);
    co_return *found;
}

/// Starts what made way and drops the lease; it stays for those that do not start and for `going`. True when it is gone.
asio::awaitable<bool> release(VmContext& context, Hypervisors& hypervisors, state::Lease lease, bool succeeded,
                              std::vector<state::Preempted> going, Deadline deadline) {
    const bool there = co_await take_over(context, lease.claimant, deadline);
    if (!there) co_return true;
    std::vector<state::Preempted> back;
    for (const state::Preempted& one : lease.preempted)
        if (succeeded || one.restore != "on-success") back.push_back(one);
    std::vector<state::Preempted> left = co_await start_again(context, hypervisors, std::move(back), deadline);
    left.insert(left.end(), going.begin(), going.end());
    const Edit drop = [claimant = lease.claimant, left](std::vector<state::Lease>& leases) {
        if (left.empty()) std::erase_if(leases, [&](const state::Lease& one) { return one.claimant == claimant; });
        for (state::Lease& one : leases)
            if (one.claimant == claimant) {
                one.preempted = left;
                one.pid = 0;
            }
    };
    co_await edit_book(context, drop, deadline);
    co_return left.empty();
}

/// Leases whose claimant is gone, and whose maker too. One without a machine is another program's: whether it is in use cannot be
/// seen from here.
asio::awaitable<void> reconcile(VmContext& context, Hypervisors& hypervisors, Deadline deadline) {
    const std::vector<state::Lease> leases = co_await list_leases(context, deadline);
    for (const state::Lease& lease : leases) {
        if (lease.entity.empty()) continue;
        const bool making = lease.pid > 0 && (::kill(static_cast<pid_t>(lease.pid), 0) == 0 || errno == EPERM);
        const VmIdentity machine = identity_of(lease);
        if (making) continue;
        const bool alive = co_await runs(hypervisors, machine, deadline);
        if (alive) continue;
        context.say(fmt::format("the lease of {} on {} is stranded: released", lease.claimant, fmt::join(lease.tokens, ", ")));
        co_await release(context, hypervisors, lease, false, nobody, deadline);
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
        const std::vector<std::string> held = common_tokens(exclusive.holds, tokens);
        if (held.empty() || machine == claimant) continue;
        const bool running = co_await runs(hypervisors, machine, deadline);
        if (running) holders.push_back({key, held, exclusive.restore});
    }
    co_return holders;
}

/// Enters the lease. False when its claimant has one already; Error{busy} when another has one of the tokens. An error leaves
/// nothing of it in the book.
asio::awaitable<bool> enter_lease(VmContext& context, state::Lease lease, Deadline deadline) {
    const auto entered = std::make_shared<std::atomic<bool>>(false);
    const Edit enter = [entered, lease](std::vector<state::Lease>& leases) {
        bool held = false;
        for (const state::Lease& other : leases) {
            held = held || other.claimant == lease.claimant;
            const std::vector<std::string> both = common_tokens(other.tokens, lease.tokens);
            if (other.claimant != lease.claimant && !both.empty())
                throw Error(Errc::busy, fmt::format("{} is held by {} since {}; give it back with: ov preempt restore {}",
                                                    both.front(), other.claimant, other.created, other.claimant));
        }
        if (held) return;
        *entered = true;
        leases.push_back(lease);
    };
    std::exception_ptr failure;
    bool over = false;
    try {
        co_await edit_book(context, enter, deadline);
    } catch (const Error& error) {
        failure = std::current_exception();
        over = error.code() == Errc::cancelled || error.code() == Errc::timed_out;
    }
    if (!failure) co_return *entered;
    const MachineWork strike = [&]() -> asio::awaitable<void> {
        const Edit erase = [entered, claimant = lease.claimant](std::vector<state::Lease>& leases) {
            if (*entered) std::erase_if(leases, [&](const state::Lease& one) { return one.claimant == claimant; });
        };
        co_await edit_book(context, erase, undo_deadline());
    };
    if (over || *entered) co_await after_failure(context, strike);
    std::rethrow_exception(failure);
}

/// Before the machine starts. False when no deploy of it claims anything, or it has its lease already. The lease is in the book
/// before a holder is stopped; when one does not go down, those that did are started again and the lease is dropped, unless that
/// one may still obey: then the lease stays for it.
asio::awaitable<bool> acquire(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline) {
    if (left_to_caller()) co_return false;
    const Claim claim = claim_of(context, machine);
    if (claim.tokens.empty()) co_return false;
    co_await reconcile(context, hypervisors, deadline);
    state::Lease lease{claim.claimant, machine.entity, machine.instance, claim.tokens, {}, utc_now(), ::getpid()};
    lease.preempted = co_await holders_of(context, hypervisors, machine, claim.tokens, deadline);
    const bool entered = co_await enter_lease(context, lease, deadline);
    if (!entered) co_return false;

    std::vector<state::Preempted> asked;
    std::exception_ptr failure;
    try {
        for (const state::Preempted& holder : lease.preempted) {
            context.say(
                fmt::format("{} is shut down: {} needs {}", holder.address, claim.claimant, fmt::join(holder.holds, ", ")));
            const VmIdentity other = machine_at(context, holder.address);
            const StopOptions graceful{StopOptions::Way::graceful, patience};
            asked.push_back(holder);
            co_await stop_vm(context, hypervisors, other, graceful, deadline);
        }
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!failure) co_return true;
    const MachineWork undo = [&]() -> asio::awaitable<void> {
        const Deadline limit = undo_deadline();
        std::vector<state::Preempted> going;
        const VmIdentity last = machine_at(context, asked.back().address);
        const bool still_runs = co_await runs(hypervisors, last, limit);
        if (still_runs) {
            going.push_back(asked.back());
            asked.pop_back();
            context.say(fmt::format("{} was to shut down and still runs; if it goes off, start it with: ov preempt restore {}",
                                    going.back().address, claim.claimant));
        }
        lease.preempted = asked;
        co_await release(context, hypervisors, lease, true, going, limit);
    };
    co_await after_failure(context, undo);
    std::rethrow_exception(failure);
}

}  // namespace

asio::awaitable<void> after_failure(VmContext& context, MachineWork undo) {
    std::string failure;
    try {
        co_await undo();
    } catch (const Error& error) {
        failure = error.what();
    }
    if (!failure.empty()) context.say(fmt::format("giving back failed: {}; see: ov preempt status", failure));
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
    const MachineWork undo = [&]() -> asio::awaitable<void> {
        co_await release_exclusive(context, hypervisors, machine, false, undo_deadline());
    };
    if (claimed) co_await after_failure(context, undo);
    std::rethrow_exception(failure);
}

asio::awaitable<void> release_exclusive(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, bool succeeded,
                                        Deadline deadline) {
    if (left_to_caller()) co_return;
    const std::vector<state::Lease> leases = co_await list_leases(context, deadline);
    for (const state::Lease& lease : leases) {
        if (!(identity_of(lease) == machine)) continue;
        const bool still_runs = co_await runs(hypervisors, machine, deadline);
        if (!still_runs) co_await release(context, hypervisors, lease, succeeded, nobody, deadline);
    }
}

asio::awaitable<bool> restore_preempted(VmContext& context, Hypervisors& hypervisors, std::string claimant, Deadline deadline) {
    const std::vector<state::Lease> leases = co_await list_leases(context, deadline);
    bool found = claimant.empty(), all = true;
    for (const state::Lease& lease : leases) {
        if (!claimant.empty() && lease.claimant != claimant) continue;
        found = true;
        const bool back = co_await release(context, hypervisors, lease, true, nobody, deadline);
        all = all && back;
    }
    if (!found) throw Error(Errc::not_found, fmt::format("{} has no lease; see: ov preempt status", claimant));
    co_return all;
}

}  // namespace ov
