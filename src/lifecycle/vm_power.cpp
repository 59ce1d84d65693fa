#include "lifecycle/vm_power.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "backend/libvirt_machines.hpp"
#include "lifecycle/autostart.hpp"
#include "lifecycle/preemption.hpp"
#include "lifecycle/undo.hpp"
#include "lifecycle/vm_clone.hpp"
#include "lifecycle/vm_import.hpp"
#include "state/deploy_config.hpp"
#include "state/snapshot_registry.hpp"
#include "state/ssh_config_file.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

/// `web` or `web -i 2`, as a verb takes it.
std::string words_for(const VmIdentity& machine) {
    return machine.instance.empty() ? machine.entity : machine.entity + " -i " + machine.instance;
}

/// Escape sequences and other control characters of a console, taken out.
std::string printable(std::string_view line) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto c = static_cast<unsigned char>(line[i]);
        if (c == 0x1b) {
            if (i + 1 < line.size() && line[i + 1] == '[')
                for (i += 2; i < line.size() && (line[i] < '@' || line[i] > '~');) ++i;
            else
                ++i;
        } else if (c >= 0x20 || c == '\t') {
            text.push_back(line[i]);
        }
    }
    return text;
}

asio::awaitable<void> forget_alias(VmContext& context, VmIdentity machine, Deadline deadline) {
    const state::SshConfigPaths paths = context.ssh_config();
    auto remove = [paths, alias = machine.domain()] { state::remove_alias(paths, alias); };
    co_await context.runtime.pool.run(deadline, std::move(remove));
}

asio::awaitable<void> forget_state(VmContext& context, VmIdentity machine, Deadline deadline) {
    const std::string file = context.deploy_file;
    const auto project = context.project;
    auto drop = [file, project, machine] {
        state::update_deploy_file(
            file, [&](state::DeployDocument& document) { state::drop_vm_state(document, machine, project->deploys); });
    };
    co_await context.runtime.pool.run(deadline, std::move(drop));
}

/// With the disk goes everything that only made sense with it; what the operator wrote stays.
void remove_files(const state::VmFiles& files, const std::string& disk_directory) {
    std::error_code failure;
    for (const char* name : {"disk.qcow2", "disk.raw", "seed.iso"}) fs::remove(disk_directory + "/" + name, failure);
    if (fs::is_directory(disk_directory, failure) && fs::is_empty(disk_directory, failure)) fs::remove(disk_directory, failure);
    if (!fs::is_directory(files.directory, failure)) return;
    const bool operators_own = fs::exists(files.instance_override(), failure);
    for (fs::directory_iterator entry(files.directory, failure), end; !failure && entry != end; entry.increment(failure)) {
        const std::string name = entry->path().filename().string();
        // The lock is held by us; whoever waits for it must find the same file.
        if (name == "instance.yml" || name == ".lock") continue;
        std::error_code kept;
        fs::remove_all(entry->path(), kept);
    }
    if (!operators_own) fs::remove_all(files.directory, failure);
}

/// With its files go the frozen disks that clones stand on (W16).
asio::awaitable<void> refuse_dependants(VmContext& context, VmIdentity machine, Deadline deadline) {
    auto read = [files = context.files(machine)] { return state::load_snapshots(files); };
    const state::SnapshotRegistry registry = co_await context.runtime.pool.run(deadline, std::move(read));
    for (const auto& [name, entry] : registry)
        if (entry.refcount > 0)
            throw Error(Errc::busy,
                        fmt::format("{} clone{} on snapshot {} of {}; destroy them first, or give --force to lose them",
                                    entry.refcount, entry.refcount == 1 ? " stands" : "s stand", name, machine.domain()));
}

/// Whether this host knows anything of the machine: defined somewhere, or something of it left to remove. Makes nothing.
asio::awaitable<bool> is_known(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline) {
    const auto look = [files = context.files(machine), disks = context.disk_directory(machine), ssh = context.ssh_config(),
                       alias = machine.domain()]() -> bool {
        std::error_code ignored;
        for (const char* name : {"/disk.qcow2", "/disk.raw", "/seed.iso"})
            if (fs::exists(disks + name, ignored)) return true;
        return fs::exists(files.directory, ignored) || state::has_alias(ssh, alias);
    };
    const bool left = co_await context.runtime.pool.run(deadline, look);
    if (left) co_return true;
    const VmState known = co_await load_vm_state(context, machine, deadline);
    if (!known.backend.empty() || !known.instance_id.empty() || known.ephemeral) co_return true;
    const LocatedVm found = co_await hypervisors.locate(machine, known, deadline);
    co_return found.backend != nullptr;
}

[[noreturn]] void not_defined(const VmIdentity& machine) {
    throw Error(Errc::not_found, fmt::format("VM \"{}\" is not defined on this host; run: ov vm create {}",
                                             machine.domain().substr(3), words_for(machine)));
}

asio::awaitable<MachineState> start_known(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline) {
    const state::FileLock lock = co_await state::lock_vm(context.runtime.pool, context.files(machine), deadline);
    const LocatedVm found = co_await hypervisors.locate(machine, deadline);
    if (found.backend == nullptr) not_defined(machine);
    if (found.state != MachineState::running) co_await found.backend->start(found.name, deadline);
    co_return found.state;
}

asio::awaitable<StopResult> stop_known(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, StopOptions options,
                                       Deadline deadline) {
    const state::FileLock lock = co_await state::lock_vm(context.runtime.pool, context.files(machine), deadline);
    const LocatedVm found = co_await hypervisors.locate(machine, deadline);
    if (found.backend == nullptr) co_return StopResult::undefined;
    const StopResult result = co_await found.backend->stop(found.name, options, deadline);
    co_return result;
}

asio::awaitable<DestroyResult> destroy_known(VmContext& context, Hypervisors& hypervisors, VmIdentity machine,
                                             DestroyOptions options, Deadline deadline) {
    DestroyResult result;
    const state::VmFiles files = context.files(machine);
    const state::FileLock lock = co_await state::lock_vm(context.runtime.pool, files, deadline);
    if (options.disk && !options.force) co_await refuse_dependants(context, machine, deadline);
    const LocatedVm found = co_await hypervisors.locate(machine, deadline);
    const bool adopted = is_imported(context, machine);
    if (adopted) context.say(fmt::format("the domain {} and its disk stay: ov did not make them", found.name));
    if (found.backend != nullptr && !adopted) {
        result.existed = true;
        const StopOptions stop{options.force ? StopOptions::Way::force : StopOptions::Way::graceful_first, options.timeout};
        result.stop = co_await found.backend->stop(found.name, stop, deadline);
        const UndefineOptions undefine{!options.disk};
        co_await found.backend->undefine(found.name, undefine, deadline);
    }
    co_await remove_autostart(context, machine.domain(), deadline);
    co_await forget_alias(context, machine, deadline);
    if (options.disk) {
        auto read = [files] { return state::load_vm_record(files).value_or(state::VmRecord{}).source; };
        const std::string source = co_await context.runtime.pool.run(deadline, std::move(read));
        co_await count_clone(context, source, -1, deadline);
        auto remove = [files, directory = context.disk_directory(machine)] { remove_files(files, directory); };
        co_await context.runtime.pool.run(deadline, std::move(remove));
    }
    if (!options.keep_deploy) co_await forget_state(context, machine, deadline);
    co_return result;
}

}  // namespace

asio::awaitable<MachineState> start_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Deadline deadline) {
    const bool known = co_await is_known(context, hypervisors, machine, deadline);
    if (!known) not_defined(machine);
    MachineState before = MachineState::undefined;
    const MachineWork start = [&]() -> asio::awaitable<void> {
        before = co_await start_known(context, hypervisors, machine, deadline);
    };
    co_await run_exclusive(context, hypervisors, machine, start, deadline);
    co_return before;
}

asio::awaitable<StopResult> stop_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, StopOptions options,
                                    Deadline deadline) {
    const bool known = co_await is_known(context, hypervisors, machine, deadline);
    if (!known) co_return StopResult::undefined;
    const StopResult result = co_await stop_known(context, hypervisors, machine, options, deadline);
    co_await release_exclusive(context, hypervisors, machine, true, deadline);
    co_return result;
}

asio::awaitable<DestroyResult> destroy_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine,
                                          DestroyOptions options, Deadline deadline) {
    DestroyResult result;
    result.known = co_await is_known(context, hypervisors, machine, deadline);
    if (!result.known) co_return result;
    std::exception_ptr failure;
    try {
        result = co_await destroy_known(context, hypervisors, machine, options, deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!failure) {
        co_await release_exclusive(context, hypervisors, machine, true, deadline);
        co_return result;
    }
    const MachineWork undo = [&]() -> asio::awaitable<void> {
        co_await release_exclusive(context, hypervisors, machine, true, undo_deadline());
    };
    co_await after_failure(context, undo);
    std::rethrow_exception(failure);
}

asio::awaitable<std::vector<VmRow>> list_vms(VmContext& context, Hypervisors& hypervisors, Deadline deadline) {
    std::map<std::string, VmRow> rows;
    const std::vector<MachineRow> processes = co_await hypervisors.qemu().list(deadline);
    for (const MachineRow& row : processes) rows[row.name] = {row.name, Backend::qemu, row.state};
    const std::string uri = default_libvirt_uri();
    if (libvirt_is_built_in() && libvirt_may_answer(uri)) {
        std::vector<MachineRow> domains;
        try {
            domains = co_await hypervisors.libvirt(uri).list(deadline);
        } catch (const Error& error) {
            if (error.code() == Errc::cancelled) throw;
            context.say(fmt::format("libvirt was not asked: {}", error.what()));
        }
        for (const MachineRow& row : domains) rows[row.name] = {row.name, Backend::libvirt, row.state};
    }
    std::vector<VmRow> list;
    for (auto& [name, row] : rows) list.push_back(std::move(row));
    co_return list;
}

std::string console_tail(const std::string& log_file, std::size_t lines) {
    constexpr std::streamoff most = 16384;
    std::ifstream file(log_file, std::ios::binary | std::ios::ate);
    if (!file) return {};
    const std::streamoff size = file.tellg();
    file.seekg(std::max<std::streamoff>(0, size - most));
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);)
        if (std::string text = printable(line); text.find_first_not_of(' ') != std::string::npos) all.push_back(std::move(text));
    std::string tail;
    for (std::size_t i = all.size() > lines ? all.size() - lines : 0; i < all.size(); ++i) tail += all[i] + "\n";
    return tail;
}

}  // namespace ov
