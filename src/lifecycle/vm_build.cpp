#include "lifecycle/vm_build.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "backend/disk_image.hpp"
#include "lifecycle/base_image.hpp"
#include "lifecycle/bootstrap_build.hpp"
#include "lifecycle/container_build.hpp"
#include "lifecycle/undo.hpp"
#include "lifecycle/vm_clone.hpp"
#include "lifecycle/vm_keys.hpp"
#include "lifecycle/vm_material.hpp"
#include "ov/vm_defaults.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

/// What stands at the disk's place before a build.
struct OldDisk {
    bool exists = false, busy = false;
    std::uint64_t size = 0;
};

/// A crash leaves files under the names of work in progress; with the lock held nobody is at work.
void remove_leftovers(const std::string& directory) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory, ignored))
        if (entry.path().filename().string().find(".new.") != std::string::npos) fs::remove(entry.path(), ignored);
}

asio::awaitable<OldDisk> look_at(std::string disk, Deadline deadline) {
    OldDisk old;
    old.exists = fs::exists(disk);
    if (!old.exists) co_return old;
    try {
        const DiskInfo info = co_await disk_info(disk, deadline);
        old.size = info.virtual_size;
    } catch (const Error& error) {
        if (error.code() != Errc::busy) throw;
        old.busy = true;
    }
    co_return old;
}

std::optional<std::uint64_t> wanted_size(const VmSpec& spec) {
    if (spec.disk_size.empty()) return std::nullopt;
    return vm::parse_size(spec.disk_size, vm::SizeUnit::byte);
}

asio::awaitable<void> grow(std::string disk, OldDisk old, std::optional<std::uint64_t> size, Deadline deadline) {
    if (!size || old.busy || *size == old.size) co_return;
    if (*size < old.size)
        throw Error(Errc::spec_invalid,
                    fmt::format("{} has {} bytes, disk_size says {}: a disk only grows", disk, old.size, *size));
    std::vector<std::string> words{"resize", "-q", disk, std::to_string(*size)};
    co_await run_qemu_img(std::move(words), deadline);
}

std::string name_of_base(const std::string& digest, const std::string& path) {
    return !digest.empty() ? digest.substr(0, 12) : path.empty() ? "unknown" : path;
}

/// Whether the disk that is there may stay. Throws when it may neither stay nor be replaced.
bool may_keep(const VmIdentity& machine, const OldDisk& old, const state::VmRecord& record, const VmState& known,
              const BaseImage& base, const std::string& disk, bool discard) {
    if (!old.exists) return false;
    const std::string stop =
        fmt::format("ov vm stop {}", machine.entity + (machine.instance.empty() ? "" : " -i " + machine.instance));
    if (discard && old.busy)
        throw Error(Errc::busy, fmt::format("{}: {} runs on it; stop it first: {}", disk, machine.domain(), stop));
    if (discard) return false;
    // A clone's base has no digest: it is the file of a snapshot.
    if (base.digest.empty() ? record.base == base.path : record.base_digest == base.digest) return true;
    if (old.busy)
        throw Error(Errc::busy,
                    fmt::format("{}: {} runs on it, and its source changed; stop it first: {}", disk, machine.domain(), stop));
    if (known.backend.empty() && record.definition_digest.empty())
        return false;  // no machine was made of it yet: no data to lose
    throw Error(Errc::busy,
                fmt::format("{} stands on another base image ({}) than the source has now ({}). --discard builds it afresh; "
                            "all data of the guest is lost",
                            disk, name_of_base(record.base_digest, record.base), name_of_base(base.digest, base.path)));
}

void check_type(const BuildOptions& options) {
    if (options.type == "iso") throw Error(Errc::unsupported, "--type iso: no installer images are made here; valid: qcow2, raw");
    if (options.type != "qcow2" && options.type != "raw")
        throw Error(Errc::usage, fmt::format("--type {}: valid: qcow2, raw", options.type));
}

asio::awaitable<void> make_disk(BaseImage base, std::string disk, std::string type, std::optional<std::uint64_t> size,
                                Deadline deadline) {
    if (type == "qcow2") {
        co_await create_overlay(base.path, base.format, disk, size, deadline);
        co_return;
    }
    if (size && *size < base.virtual_size)
        throw Error(Errc::spec_invalid,
                    fmt::format("disk_size of {} bytes is smaller than the {} bytes of the image", *size, base.virtual_size));
    std::vector<std::string> no_more;
    co_await convert_image(base.path, base.format, disk, "raw", std::move(no_more), deadline);
    if (!size) co_return;
    std::vector<std::string> words{"resize", "-q", "-f", "raw", disk, std::to_string(*size)};
    co_await run_qemu_img(std::move(words), deadline);
}

/// What the record calls a source.
std::string source_name(const VmSpec& spec) {
    if (spec.source.kind == "clone") return clone_source(spec);
    if (spec.source.kind == "bootstrap") return fmt::format("bootstrap:{}:{}", spec.source.builder, spec.source.distro);
    return spec.source.kind == "bootc" ? "bootc:" + spec.source.image : spec.source.url;
}

/// The image that the disk stands on. A container build gives other bytes each time, so what was built of the same source is kept
/// until somebody discards the disk.
asio::awaitable<BaseImage> base_of(VmContext& context, VmSpec spec, BuildOptions options, state::VmRecord record,
                                   state::VmFiles files, Deadline deadline) {
    if (spec.source.kind == "clone") co_return co_await clone_base(context, std::move(spec), deadline);
    const bool in_container = spec.source.kind == "bootc" || spec.source.kind == "bootstrap";
    if (!in_container) co_return co_await fetch_base(context, std::move(spec), deadline);
    if (record.source == source_name(spec) && !record.base.empty() && fs::exists(record.base))
        co_return co_await inspect_base(record.base, record.base_digest, deadline);
    if (spec.source.kind == "bootc")
        co_return co_await build_bootc(context, std::move(spec), options.transport, options.console, deadline);
    if (vm::firmware_of(spec, "x86_64") == FirmwareMode::bios)
        context.say(fmt::format("the disk of {} boots through UEFI only: set `firmware: uefi-insecure`", spec.name));
    BootstrapRun run;
    run.workplace = files.directory + "/build";
    run.console = options.console;
    run.fresh = options.discard;
    co_return co_await build_bootstrap(context, std::move(spec), std::move(run), deadline);
}

/// A new disk is a new machine to its guest: what the old one left goes.
void forget_old_guest(const state::VmFiles& files) {
    std::error_code ignored;
    fs::remove(files.nvram(), ignored);
    fs::remove(files.console_log(), ignored);
}

}  // namespace

namespace {

/// What a build has made so far, taken back when it fails: what it found stays as it was.
struct BuildUndo {
    BuildUndo(const VmContext& context, const VmIdentity& machine)
        : files(context.files(machine)),
          directory(context.disk_directory(machine)),
          state_is_new(!fs::exists(files.directory)),
          directory_is_new(!fs::exists(directory)),
          seed_is_new(!fs::exists(directory + "/seed.iso")) {}

    void remove_files() const {
        std::error_code ignored;
        if (!made_disk.empty()) fs::remove(made_disk, ignored);
        if (seed_is_new) fs::remove(directory + "/seed.iso", ignored);
        if (directory_is_new)  // with the parents that it was made with, as far as nothing else is in them
            for (fs::path at = directory; !at.empty() && at.filename() != "output" && fs::remove(at, ignored);)
                at = at.parent_path();
        // The lock is ours still; whoever waits for it makes the directory again.
        if (state_is_new) fs::remove_all(files.directory, ignored);
    }

    state::VmFiles files;
    std::string directory;
    bool state_is_new, directory_is_new, seed_is_new;
    std::string made_disk;
    std::string counted;            ///< the snapshot that a clone more stands on
    std::optional<VmState> before;  ///< of deploy.yml, once it was changed
};

/// The login key is looked at before anything is fetched: a missing one is found in a second, not after the download.
asio::awaitable<void> need_login_key(VmContext& context, state::VmFiles files, VmSpec spec, Deadline deadline) {
    auto look = [files, source = vm::key_source(spec), home = context.paths.home] { ensure_login_key(files, source, home); };
    co_await context.runtime.pool.run(deadline, std::move(look));
}

asio::awaitable<BuildResult> build_locked_vm(VmContext& context, VmIdentity machine, BuildOptions options, BuildUndo& undo,
                                             Deadline deadline);

}  // namespace

asio::awaitable<BuildResult> build_vm(VmContext& context, VmIdentity machine, BuildOptions options, Deadline deadline) {
    check_type(options);
    const VmSpec& authored = spec_of(context, machine);
    const std::string kind = authored.source.kind;
    if (kind == "imported") {
        BuildResult adopted;
        adopted.disk = authored.source.disk_path;
        adopted.kept = true;
        if (!fs::exists(adopted.disk))
            throw Error(Errc::not_found, fmt::format("{}: the disk of the imported domain {} is not there", adopted.disk,
                                                     authored.source.libvirt_name));
        context.say(fmt::format("{} is imported: its disk is {}, there is nothing to build", machine.entity, adopted.disk));
        co_return adopted;
    }
    if (kind != "cloud_image" && kind != "bootc" && kind != "bootstrap" && kind != "clone")
        throw Error(Errc::unsupported, fmt::format("vm.{}: source.kind {} cannot be built here; supported: cloud_image, bootc, "
                                                   "bootstrap, clone, imported",
                                                   machine.entity, kind));

    BuildUndo undo(context, machine);
    const state::FileLock lock = co_await state::lock_vm(context.runtime.pool, undo.files, deadline);
    BuildResult result;
    std::exception_ptr failure;
    try {
        result = co_await build_locked_vm(context, machine, std::move(options), undo, deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!failure) co_return result;
    undo.remove_files();  // first: a full disk has room for the rest again
    const Deadline patience = undo_deadline();
    co_await count_clone(context, undo.counted, -1, patience);
    if (undo.before) {
        co_await restore_vm_state(context, machine, *undo.before, patience);
    }
    std::rethrow_exception(failure);
}

namespace {

asio::awaitable<BuildResult> build_locked_vm(VmContext& context, VmIdentity machine, BuildOptions options, BuildUndo& undo,
                                             Deadline deadline) {
    const state::VmFiles files = undo.files;
    state::VmRecord record = state::load_vm_record(files).value_or(state::VmRecord{});
    std::vector<Diagnostic> warnings;
    state::VmOverrides overrides = record.overrides;
    if (!options.given.disk_size.empty()) overrides.disk_size = options.given.disk_size;
    if (!options.given.root_size.empty()) overrides.root_size = options.given.root_size;
    const VmSpec spec = co_await effective_spec(context, machine, overrides, deadline, warnings);
    for (const Diagnostic& warning : warnings) context.say(warning.str());
    co_await need_login_key(context, files, spec, deadline);

    const std::string directory = context.disk_directory(machine);
    const std::string disk = directory + (options.type == "raw" ? "/disk.raw" : "/disk.qcow2");
    const bool again = fs::exists(disk) && !options.discard;
    state::VmRecord earlier;
    if (again) earlier = record;
    const BaseImage base = co_await base_of(context, spec, options, std::move(earlier), files, deadline);
    remove_leftovers(directory);
    const OldDisk old = co_await look_at(disk, deadline);
    const VmState known = co_await load_vm_state(context, machine, deadline);
    BuildResult result;
    result.disk = disk;
    result.base_digest = base.digest;
    result.kept = may_keep(machine, old, record, known, base, disk, options.discard);
    if (result.kept) {
        const auto size = wanted_size(spec);
        co_await grow(disk, old, size, deadline);
    } else {
        const auto size = wanted_size(spec);
        const bool counted = record.source == source_name(spec);  // a record goes with its count
        if (!counted) {
            // Before the disk stands on it, so that nobody deletes the snapshot in between.
            undo.counted = source_name(spec);
            co_await count_clone(context, undo.counted, 1, deadline);
        }
        co_await make_disk(base, disk, options.type, size, deadline);
        if (!counted) co_await count_clone(context, record.source, -1, deadline);
        if (old.exists) undo.counted.clear();
        if (!old.exists) undo.made_disk = disk;
        if (!old.exists) undo.before = known;
        if (old.exists) forget_old_guest(files);
        record.instance_id = new_instance_id();
        VmState fresh;
        fresh.instance_id = record.instance_id;
        co_await save_vm_state(context, machine, fresh, deadline);
    }
    record.overrides = overrides;
    record.base = base.path;
    record.base_digest = base.digest;
    record.source = source_name(spec);
    if (!result.kept || record.active_disk.empty()) record.active_disk = disk;
    record.disk_format = options.type;
    state::save_vm_record(files, record);

    PrepareOptions prepare;
    prepare.running = old.busy;
    prepare.reserve_port = false;
    const PreparedVm prepared = co_await prepare_runtime(context, machine, prepare, deadline);
    result.seed = prepared.runtime.seed_iso;
    result.instance_id = prepared.runtime.instance_id;
    co_return result;
}

}  // namespace

}  // namespace ov
