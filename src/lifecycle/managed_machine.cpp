#include "lifecycle/managed_machine.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "lifecycle/vm_import.hpp"
#include "lifecycle/vm_keys.hpp"
#include "lifecycle/vm_power.hpp"
#include "ov/vm_defaults.hpp"

namespace ov {

namespace {

bool exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

std::string words_for(const VmIdentity& machine) {
    return machine.instance.empty() ? machine.entity : machine.entity + " -i " + machine.instance;
}

/// The private key that lets us into the machine; empty where only the ssh stanza, or an agent, knows.
std::string identity_of(const VmContext& context, const DeployTarget& target, const state::VmFiles& files) {
    if (exists(files.identity())) return files.identity();
    if (!target.entity.spec) return {};
    const std::string source = vm::key_source(*target.entity.spec);
    if (source == "generate" || source == "none") return {};
    try {
        return ensure_login_key(files, source, context.paths.home).identity_file;
    } catch (const Error&) {
        return {};  // whoever made the stanza said so then
    }
}

bool may_boot() {
    const char* word = std::getenv("OV_DEPLOY_NO_AUTOBOOT");
    return word == nullptr || *word == '\0';
}

}  // namespace

void not_defined(const VmContext& context, const DeployTarget& target) {
    const std::string words = words_for(target.machine);
    const bool disk = exists(context.disk_directory(target.machine) + "/disk.qcow2");
    throw Error(Errc::not_found,
                fmt::format("deploy {}: VM \"{}\" is not defined on this host; run: {}ov vm create {}", target.key,
                            target.machine.domain().substr(3), disk ? "" : fmt::format("ov vm build {}, then ", words), words));
}

SshDestination managed_destination(const VmContext& context, const DeployTarget& target) {
    const state::VmFiles files = context.files(target.machine);
    // A machine that this run made has newer state than the project that was loaded before.
    const VmState* known =
        target.node.vm_state ? &*target.node.vm_state : find_vm_state(context.project->deploys, target.machine, target.key);
    SshDestination destination;
    destination.name = target.key;
    destination.port = known != nullptr ? known->ssh_port.value_or(0) : 0;
    destination.user = known != nullptr ? known->ssh_user : std::string();
    if (destination.user.empty() && target.entity.spec) destination.user = vm::login_user(*target.entity.spec);
    const std::string identity = identity_of(context, target, files);
    if (destination.port == 0 || identity.empty()) {
        // The stanza that `vm create` wrote knows the rest: another machine's address, a key of the user's own.
        destination.host = target.machine.domain();
        return destination;
    }
    destination.host = "127.0.0.1";
    destination.identities = {identity};
    destination.known_hosts = {files.known_hosts()};
    return destination;
}

asio::awaitable<MachineState> look_at(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline) {
    const VmState* known = context.known_state(machine);
    VmState state;
    if (known != nullptr) state = *known;
    const LocatedVm found = co_await hypervisors.locate(machine, std::move(state), deadline);
    co_return found.state;
}

asio::awaitable<ManagedMachine> start_for_deploy(VmContext& context, Hypervisors& hypervisors, DeployTarget target,
                                                 EmitEvent emit, Deadline deadline) {
    const state::VmFiles files = context.files(target.machine);
    ManagedMachine result;
    result.console_log = files.console_log();
    const MachineState now = co_await look_at(context, hypervisors, target.machine, deadline);
    result.before = now;
    if (now == MachineState::undefined) not_defined(context, target);
    if (now != MachineState::running && now != MachineState::shutting_down) {
        const char* what = now == MachineState::paused || now == MachineState::suspended ? "resum" : "start";
        if (!may_boot())
            throw Error(Errc::busy,
                        fmt::format("deploy {}: VM \"{}\" is {} and OV_DEPLOY_NO_AUTOBOOT is set; run: ov vm start {}",
                                    target.key, target.machine.domain().substr(3), to_string(now), words_for(target.machine)));
        emit(event::Note{Severity::note, fmt::format("{} is {}: {}ing it", target.machine.domain(), to_string(now), what)});
        co_await start_vm(context, hypervisors, target.machine, deadline);
    }
    if (is_imported(context, target.machine)) {
        // Nothing of ours created it: alias and state are made by the first verb that needs them.
        const state::FileLock lock = co_await state::lock_vm(context.runtime.pool, files, deadline);
        const LocatedVm found = co_await hypervisors.locate(target.machine, deadline);
        target.node.vm_state = co_await adopt_imported(context, target.machine, found, deadline);
    }
    result.destination = managed_destination(context, target);
    auto load = [files] { return state::load_vm_record(files).value_or(state::VmRecord{}); };
    const state::VmRecord record = co_await context.runtime.pool.run(deadline, std::move(load));
    result.first_boot = record.facts.empty();
    co_return result;
}

void show_console(const std::string& console_log, const EmitEvent& emit) {
    const std::string tail = console_tail(console_log);
    if (tail.empty()) return;
    emit(event::Output{fmt::format("-- last lines of the serial console ({}):\n{}", console_log, tail), true});
}

}  // namespace ov
