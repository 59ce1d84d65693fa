#include "lifecycle/vm_snapshot.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "backend/disk_image.hpp"
#include "lifecycle/undo.hpp"
#include "lifecycle/vm_create.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

constexpr mode_t frozen = 0444, writable = 0600;

std::string now_text() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

/// What deploy.yml says of the machine's snapshots.
asio::awaitable<void> save_mirror(VmContext& context, VmIdentity machine, state::SnapshotRegistry registry, Deadline deadline) {
    VmState mirror;
    mirror.snapshot = state::snapshots_yaml(registry);
    co_await save_vm_state(context, std::move(machine), std::move(mirror), deadline);
}

/// One snapshot verb at work: the machine, its registry and record, under the machine's lock.
class Work {
public:
    Work(VmContext& context, Hypervisors& hypervisors, VmIdentity machine)
        : context_(context), hypervisors_(hypervisors), machine_(std::move(machine)), files_(context.files(machine_)) {}

    asio::awaitable<void> open(Deadline deadline) {
        lock_.emplace(co_await state::lock_vm(context_.runtime.pool, files_, deadline));
        co_await load(deadline);
        co_await repair(deadline);
    }
    asio::awaitable<void> load(Deadline deadline) {
        auto read = [files = files_] {
            return std::pair(state::load_snapshots(files), state::load_vm_record(files).value_or(state::VmRecord{}));
        };
        std::pair<state::SnapshotRegistry, state::VmRecord> both = co_await context_.runtime.pool.run(deadline, std::move(read));
        registry = std::move(both.first);
        record = std::move(both.second);
    }
    asio::awaitable<void> save(Deadline deadline) {
        auto write = [files = files_, all = registry, one = record] {
            state::save_snapshots(files, all);
            state::save_vm_record(files, one);
        };
        co_await context_.runtime.pool.run(deadline, std::move(write));
        co_await save_mirror(context_, machine_, registry, deadline);
    }

    /// The file that the machine runs on now.
    std::string active() const {
        return record.active_disk.empty() ? context_.disk_directory(machine_) + "/disk.qcow2" : record.active_disk;
    }
    std::string format() const { return record.disk_format.empty() ? "qcow2" : record.disk_format; }
    std::string overlay_for(const std::string& name) const {
        std::string path = files_.snapshots() + "/" + name + "/disk.qcow2";
        for (int i = 2; fs::exists(path); ++i) path = fmt::format("{}/{}/disk-{}.qcow2", files_.snapshots(), name, i);
        return path;
    }
    state::Snapshot& need(const std::string& name) {
        const auto found = registry.find(name);
        if (found == registry.end())
            throw Error(Errc::not_found, fmt::format("VM {} has no snapshot {}; make one: ov vm snapshot create {} {}",
                                                     machine_.domain().substr(3), name, machine_.entity, name));
        return found->second;
    }
    /// The machine's definition is what the disk hangs on; without one there is nothing to switch.
    asio::awaitable<LocatedVm> need_machine(Deadline deadline) {
        LocatedVm found = co_await hypervisors_.locate(machine_, deadline);
        if (found.backend == nullptr)
            throw Error(Errc::not_found, fmt::format("VM \"{}\" is not defined on this host; run: ov vm create {}",
                                                     machine_.domain().substr(3), machine_.entity));
        co_return found;
    }
    /// Off, by the guest's own shutdown. True if it ran.
    asio::awaitable<bool> switch_off(const LocatedVm& found, std::chrono::milliseconds timeout, Deadline deadline) {
        if (!is_active(found.state)) co_return false;
        context_.say(fmt::format("{} is shut down for this and started again", found.name));
        const StopOptions graceful{StopOptions::Way::graceful, timeout};
        co_await found.backend->stop(found.name, graceful, deadline);
        co_return true;
    }
    /// The machine's definition follows `record.active_disk`; on again if it was.
    asio::awaitable<void> define_again(bool start, Deadline deadline) {
        CreateOptions options;
        options.start = start;
        co_await create_locked_vm(context_, hypervisors_, machine_, options, deadline);
        co_await load(deadline);  // create wrote the record
    }
    asio::awaitable<void> make_overlay(std::string base, std::string base_format, std::string path, Deadline deadline) {
        fs::create_directories(fs::path(path).parent_path());
        co_await create_overlay(std::move(base), std::move(base_format), std::move(path), std::nullopt, deadline);
    }

    void say(const std::string& text) const { context_.say(text); }

    state::SnapshotRegistry registry;
    state::VmRecord record;

private:
    /// Finishes or takes back what a killed run left.
    asio::awaitable<void> repair(Deadline deadline) {
        bool changed = false;
        for (auto entry = registry.begin(); entry != registry.end();) {
            state::Snapshot& one = entry->second;
            if (one.state == "creating" && record.active_disk != one.active_path) {
                context_.say(fmt::format("snapshot {} was never finished: taken back", one.name));
                std::error_code ignored;
                fs::remove(one.active_path, ignored);
                ::chmod(one.disk_path.c_str(), writable);
                entry = registry.erase(entry);
                changed = true;
                continue;
            }
            if (one.state == "creating") {
                one.state.clear();
                changed = true;
            }
            ++entry;
        }
        if (changed) co_await save(deadline);
    }

    VmContext& context_;
    Hypervisors& hypervisors_;
    VmIdentity machine_;
    state::VmFiles files_;
    std::optional<state::FileLock> lock_;
};

/// The newest one before now.
std::string newest(const state::SnapshotRegistry& registry) {
    const state::Snapshot* last = nullptr;
    for (const auto& [name, entry] : registry)
        if (last == nullptr || entry.created >= last->created) last = &entry;
    return last == nullptr ? std::string() : last->name;
}

asio::awaitable<void> create_external(Work& work, LocatedVm found, std::string name, SnapshotOptions options, Deadline deadline) {
    const bool ran = co_await work.switch_off(found, options.timeout, deadline);
    const std::string before = work.record.active_disk, format_before = work.record.disk_format;
    state::Snapshot& entry = work.registry[name];
    entry.disk_path = work.active();
    entry.disk_format = work.format() == "qcow2" ? std::string() : work.format();
    entry.active_path = work.overlay_for(name);
    entry.state = "creating";
    co_await work.save(deadline);
    std::exception_ptr failure;
    try {
        co_await work.make_overlay(entry.disk_path, work.format(), entry.active_path, deadline);
        ::chmod(entry.disk_path.c_str(), frozen);
        work.record.active_disk = entry.active_path;
        work.record.disk_format = "qcow2";
        entry.state.clear();
        co_await work.save(deadline);
        co_await work.define_again(ran, deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    const Deadline patience = undo_deadline();
    const state::Snapshot gone = work.registry[name];
    ::chmod(gone.disk_path.c_str(), writable);
    work.record.active_disk = before;
    work.record.disk_format = format_before;
    work.registry.erase(name);
    co_await work.save(patience);
    std::error_code ignored;
    fs::remove(gone.active_path, ignored);
    try {
        co_await work.define_again(ran, patience);
    } catch (const Error& error) {
        work.say(fmt::format("the machine's old definition could not be put back: {}", error.what()));
    }
    std::rethrow_exception(failure);
}

/// Disks of this machine that stand directly on `path`.
asio::awaitable<std::vector<std::string>> standing_on(const Work& work, std::string path, Deadline deadline) {
    std::vector<std::string> candidates{work.active()};
    for (const auto& [name, entry] : work.registry)
        if (entry.external()) candidates.push_back(entry.disk_path);
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    std::vector<std::string> found;
    for (const std::string& candidate : candidates) {
        if (candidate == path || !fs::exists(candidate)) continue;
        const DiskInfo info = co_await disk_info(candidate, deadline, true);
        if (info.backing_file == path) found.push_back(candidate);
    }
    co_return found;
}

/// Merges the one disk above into the frozen file, which takes its place.
asio::awaitable<void> merge(Work& work, state::Snapshot entry, std::string above, Deadline deadline) {
    ::chmod(entry.disk_path.c_str(), writable);
    std::vector<std::string> commit{"commit", "-q", "-d", above};
    co_await run_qemu_img(std::move(commit), deadline);
    const std::vector<std::string> higher = co_await standing_on(work, above, deadline);
    for (const std::string& disk : higher) {
        ::chmod(disk.c_str(), writable);
        std::vector<std::string> rebase{
            "rebase", "-u", "-F", entry.disk_format.empty() ? "qcow2" : entry.disk_format, "-b", entry.disk_path, disk};
        co_await run_qemu_img(std::move(rebase), deadline);
    }
    for (auto& [name, other] : work.registry) {
        if (other.disk_path == above) {
            other.disk_path = entry.disk_path;
            ::chmod(entry.disk_path.c_str(), frozen);
        }
        if (other.active_path == above) other.active_path = entry.disk_path;
        for (const std::string& disk : higher)
            if (other.disk_path == disk) ::chmod(disk.c_str(), frozen);
    }
    if (work.active() == above) {
        work.record.active_disk = entry.disk_path;
        work.record.disk_format = entry.disk_format.empty() ? "qcow2" : entry.disk_format;
    }
}

}  // namespace

asio::awaitable<void> create_snapshot(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, std::string name,
                                      SnapshotOptions options, Deadline deadline) {
    if (!state::is_valid_snapshot_name(name))
        throw Error(
            Errc::usage,
            fmt::format("'{}' is no name for a snapshot: letters, digits, '.', '_' and '-', at most 64, beginning with a letter "
                        "or digit",
                        name));
    Work work(context, hypervisors, machine);
    co_await work.open(deadline);
    if (work.registry.contains(name))
        throw Error(Errc::usage, fmt::format("VM {} has a snapshot {} already", machine.domain().substr(3), name));
    const LocatedVm found = co_await work.need_machine(deadline);
    state::Snapshot entry;
    entry.name = entry.libvirt_name = name;
    entry.mode = options.mode;
    entry.description = options.description;
    entry.created = now_text();
    entry.parent = newest(work.registry);
    entry.quiesced = options.quiesce;
    if (options.mode == "internal") {
        if (options.quiesce)
            context.say("--quiesce has no effect on an internal snapshot: it holds the memory of a running machine");
        co_await found.backend->save_internal(found.name, name, options.description, deadline);
        entry.disk_path = work.active();
        work.registry[name] = entry;
        co_await work.save(deadline);
        co_return;
    }
    work.registry[name] = entry;
    co_await create_external(work, found, name, options, deadline);
}

asio::awaitable<void> revert_snapshot(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, std::string name,
                                      SnapshotOptions options, Deadline deadline) {
    Work work(context, hypervisors, machine);
    co_await work.open(deadline);
    const state::Snapshot entry = work.need(name);
    const LocatedVm found = co_await work.need_machine(deadline);
    if (!entry.external()) {
        if (!entry.disk_path.empty() && entry.disk_path != work.active())
            throw Error(Errc::busy,
                        fmt::format("snapshot {} is inside {}, and the machine runs on {} since a later external snapshot", name,
                                    entry.disk_path, work.active()));
        co_await found.backend->load_internal(found.name, name, deadline);
        co_return;
    }
    const bool ran = co_await work.switch_off(found, options.timeout, deadline);
    const std::string old = work.active();
    const std::string overlay = work.overlay_for(name);
    const std::string base_format = entry.disk_format.empty() ? "qcow2" : entry.disk_format;
    co_await work.make_overlay(entry.disk_path, base_format, overlay, deadline);
    work.record.active_disk = overlay;
    work.record.disk_format = "qcow2";
    work.need(name).active_path = overlay;
    co_await work.save(deadline);
    co_await work.define_again(ran, deadline);
    // What was written since is given up; a file that a snapshot froze stays.
    const bool kept =
        std::any_of(work.registry.begin(), work.registry.end(), [&](const auto& row) { return row.second.disk_path == old; });
    std::error_code ignored;
    if (!kept && old.starts_with(context.files(machine).snapshots() + "/")) fs::remove(old, ignored);
}

asio::awaitable<void> delete_snapshot(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, std::string name,
                                      bool force, SnapshotOptions options, Deadline deadline) {
    Work work(context, hypervisors, machine);
    co_await work.open(deadline);
    const state::Snapshot entry = work.need(name);
    if (entry.refcount > 0 && !force)
        throw Error(Errc::busy,
                    fmt::format("{} clone{} on snapshot {} of {}; --force forgets it and leaves its file to them", entry.refcount,
                                entry.refcount == 1 ? " stands" : "s stand", name, machine.domain().substr(3)));
    const LocatedVm found = co_await work.need_machine(deadline);
    if (!entry.external()) {
        co_await found.backend->drop_internal(found.name, name, deadline);
    } else if (entry.refcount == 0) {
        const std::vector<std::string> above = co_await standing_on(work, entry.disk_path, deadline);
        const bool shared = std::any_of(work.registry.begin(), work.registry.end(), [&](const auto& row) {
            return row.first != name && row.second.disk_path == entry.disk_path;
        });
        if (above.size() > 1 && !shared)
            throw Error(Errc::busy, fmt::format("{} disks stand on snapshot {}: delete the snapshots made after it first ({})",
                                                above.size(), name, fmt::join(above, ", ")));
        for (const auto& [other, row] : work.registry)
            if (!shared && row.refcount > 0 && row.disk_path != entry.disk_path &&
                std::find(above.begin(), above.end(), row.disk_path) != above.end())
                throw Error(Errc::busy,
                            fmt::format("{} clone{} on snapshot {}, whose file stands on that of {}: destroy them first",
                                        row.refcount, row.refcount == 1 ? " stands" : "s stand", other, name));
        if (!shared && above.size() == 1) {
            const bool ran = co_await work.switch_off(found, options.timeout, deadline);
            const std::string over = above.front();
            co_await merge(work, entry, over, deadline);
            work.registry.erase(name);
            co_await work.save(deadline);
            co_await work.define_again(ran, deadline);
            std::error_code ignored;
            fs::remove(over, ignored);
        } else if (!shared && entry.disk_path.starts_with(context.files(machine).snapshots() + "/")) {
            std::error_code ignored;
            fs::remove(entry.disk_path, ignored);
        }
    }
    work.registry.erase(name);
    co_await work.save(deadline);
    std::error_code ignored;
    fs::remove(context.files(machine).snapshots() + "/" + name, ignored);  // only when it is empty
}

asio::awaitable<void> promote_snapshot(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, std::string name,
                                       Deadline deadline) {
    Work work(context, hypervisors, machine);
    co_await work.open(deadline);
    state::Snapshot& entry = work.need(name);
    if (entry.external()) throw Error(Errc::usage, fmt::format("snapshot {} is external already", name));
    const std::string path = work.overlay_for(name);
    fs::create_directories(fs::path(path).parent_path());
    std::vector<std::string> convert{"convert", "-U", "-l", "snapshot.name=" + name, "-O", "qcow2", entry.disk_path, path};
    co_await run_qemu_img(std::move(convert), deadline);
    ::chmod(path.c_str(), frozen);
    entry.origin_mode = "internal";
    entry.mode = "external";
    entry.disk_path = path;
    co_await work.save(deadline);
}

asio::awaitable<state::SnapshotRegistry> list_snapshots(VmContext& context, VmIdentity machine, Deadline deadline) {
    auto read = [files = context.files(machine)] { return state::load_snapshots(files); };
    state::SnapshotRegistry registry = co_await context.runtime.pool.run(deadline, std::move(read));
    co_return registry;
}

asio::awaitable<state::Snapshot> reference_snapshot(VmContext& context, VmIdentity machine, std::string name, int change,
                                                    Deadline deadline) {
    const state::VmFiles files = context.files(machine);
    const state::FileLock lock = co_await state::lock_vm(context.runtime.pool, files, deadline);
    auto count = [files, machine, name, change] {
        state::SnapshotRegistry registry = state::load_snapshots(files);
        const auto found = registry.find(name);
        if (found == registry.end())
            throw Error(Errc::not_found, fmt::format("VM {} has no snapshot {}; make one: ov vm snapshot create {} {}",
                                                     machine.domain().substr(3), name, machine.entity, name));
        found->second.refcount = std::max(0, found->second.refcount + change);
        state::save_snapshots(files, registry);
        return registry;
    };
    const state::SnapshotRegistry registry = co_await context.runtime.pool.run(deadline, std::move(count));
    const VmState known = co_await load_vm_state(context, machine, deadline);
    if (known.snapshot) co_await save_mirror(context, machine, registry, deadline);  // a forgotten machine stays forgotten
    co_return registry.at(name);
}

}  // namespace ov
