#include "lifecycle/vm_create.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "backend/nvram.hpp"
#include "base/sha256.hpp"
#include "lifecycle/autostart.hpp"
#include "lifecycle/preemption.hpp"
#include "lifecycle/undo.hpp"
#include "lifecycle/vm_import.hpp"
#include "ov/vm_validate.hpp"
#include "state/deploy_config.hpp"
#include "state/ssh_config_file.hpp"

namespace ov {

namespace {

using namespace std::chrono_literals;

/// Warnings and notes are said, errors end the verb.
void settle(const VmContext& context, std::vector<Diagnostic> findings) {
    for (const Diagnostic& finding : findings)
        if (finding.severity != Severity::error) context.say(finding.str());
    std::erase_if(findings, [](const Diagnostic& finding) { return finding.severity != Severity::error; });
    if (!findings.empty()) throw SpecError(std::move(findings));
}

void check(const VmContext& context, const PreparedVm& vm, Backend backend, long long instances) {
    ValidateOptions rules;
    rules.backend = backend;
    rules.instances = instances;
    rules.for_create = true;
    std::vector<Diagnostic> findings = vm.warnings;
    const auto add = [&](std::vector<Diagnostic> more) { findings.insert(findings.end(), more.begin(), more.end()); };
    add(validate(vm.spec, vm.facts, rules));
    if (backend == Backend::libvirt) {
        add(check_markup(vm.spec, vm.runtime));
        add(render_notes(vm.spec, vm.facts, vm.runtime));
    }
    settle(context, std::move(findings));
}

MachineDefinition definition_of(const PreparedVm& vm, Backend backend) {
    MachineDefinition definition;
    definition.name = vm.runtime.name;
    definition.autostart = vm.spec.autostart.value_or(false);
    if (backend == Backend::libvirt) {
        definition.xml = render_domain(vm.spec, vm.facts, vm.runtime);
        return definition;
    }
    definition.argv = render_argv(vm.spec, vm.facts, vm.runtime);
    definition.argv.insert(definition.argv.begin(), qemu_program(vm.facts, vm.runtime));
    return definition;
}

std::string digest_of(const MachineDefinition& definition) {
    std::string text = definition.xml;
    for (const std::string& word : definition.argv) text += word + '\n';
    return sha256_hex(text);
}

/// Takes back what this run made, whatever it takes; what cannot be taken back is said.
class Rollback {
public:
    Rollback(VmContext& context, VmIdentity machine) : context_(context), machine_(std::move(machine)) {}
    bool published = false, defined = false;
    std::string nvram;  ///< made by this run
    MachineBackend* backend = nullptr;
    std::string name;
    VmState before;

    asio::awaitable<void> run() {
        const Deadline patience = undo_deadline();
        if (defined) {
            auto work = remove_machine(patience);
            co_await attempt("the machine", std::move(work));
        }
        if (published) {
            const state::SshConfigPaths paths = context_.ssh_config();
            auto remove = [paths, alias = machine_.domain()] { state::remove_alias(paths, alias); };
            auto work = context_.runtime.pool.run(patience, std::move(remove));
            co_await attempt("its ssh alias", std::move(work));
            std::error_code ignored;
            std::filesystem::remove(context_.files(machine_).known_hosts(), ignored);  // the next create writes it again
        }
        if (!nvram.empty()) {
            std::error_code ignored;
            std::filesystem::remove(nvram, ignored);
        }
        auto work = restore_vm_state(context_, machine_, before, patience);
        co_await attempt("its state in deploy.yml", std::move(work));
    }

private:
    asio::awaitable<void> remove_machine(Deadline deadline) {
        const StopOptions force{StopOptions::Way::force, 5s};
        co_await backend->stop(name, force, deadline);
        const UndefineOptions keep;
        co_await backend->undefine(name, keep, deadline);
    }
    asio::awaitable<void> attempt(const char* what, asio::awaitable<void> work) {
        try {
            co_await std::move(work);
        } catch (const Error& error) {
            context_.say(fmt::format("could not take back {}: {}", what, error.what()));
        }
    }

    VmContext& context_;
    VmIdentity machine_;
};

asio::awaitable<void> save_record(VmContext& context, state::VmFiles files, state::VmRecord record, Deadline deadline) {
    auto save = [files, record] { state::save_vm_record(files, record); };
    co_await context.runtime.pool.run(deadline, save);
}

/// UEFI variables of its own. True if they were made now.
asio::awaitable<bool> make_nvram(VmContext& context, PreparedVm& vm, Deadline deadline) {
    if (vm.runtime.nvram.empty() || vm.runtime.ovmf_vars_template.empty()) co_return false;
    const NvramRequest request{vm.runtime.nvram, vm.runtime.ovmf_vars_template, vm.record.nvram_template};
    auto make = [request] { return ensure_nvram(request); };
    const bool made = co_await context.runtime.pool.run(deadline, make);
    vm.record.nvram_template = vm.runtime.ovmf_vars_template;
    co_return made;
}

struct Target {
    MachineBackend* backend = nullptr;
    Backend kind = Backend::qemu;
    std::string uri;
};

Target target_of(VmContext& context, Hypervisors& hypervisors, const PreparedVm& vm, const LocatedVm& existing,
                 const CreateOptions& options) {
    BackendQuestion question;
    question.flag = options.backend;
    question.recorded = existing.backend != nullptr || options.backend.empty() ? vm.state.backend : std::string();
    question.entity = vm.spec.backend;
    question.setting = backend_setting(context.paths);
    question.uri = libvirt_uri_of(vm.spec);
    // A machine that is defined stays where it is.
    if (existing.backend != nullptr && !existing.libvirt_uri.empty()) question.uri = existing.libvirt_uri;
    if (!options.connect.empty()) question.uri = options.connect;
    question.facts = vm.facts;
    question.notes = context.facts.notes();
    Target target;
    target.kind = choose_backend(question);
    if (existing.backend != nullptr && existing.backend->kind() != target.kind)
        throw Error(Errc::busy,
                    fmt::format("{} is defined with the backend {}; destroy it first: ov vm destroy {}", existing.name,
                                existing.backend->kind() == Backend::qemu ? "qemu" : "libvirt", vm.machine.entity));
    target.uri = target.kind == Backend::libvirt ? question.uri : std::string();
    target.backend = target.kind == Backend::libvirt ? &hypervisors.libvirt(target.uri) : &hypervisors.qemu();
    return target;
}

/// A domain of somebody else's is not defined anew: it is recorded and started.
asio::awaitable<CreateResult> take_over(VmContext& context, VmIdentity machine, LocatedVm found, CreateOptions options,
                                        Deadline deadline) {
    if (found.backend == nullptr)
        throw Error(Errc::not_found,
                    fmt::format("vm.{} is imported, and libvirt has no domain {} any more", machine.entity, found.name));
    const VmState state = co_await adopt_imported(context, machine, found, deadline);
    CreateResult result;
    result.backend = found.backend->kind();
    result.name = found.name;
    result.user = state.ssh_user;
    result.ssh_port = state.ssh_port.value_or(0);
    const bool off = found.state != MachineState::running;
    if (off && options.start) co_await found.backend->start(found.name, deadline);
    result.done = off ? CreateResult::Done::started : CreateResult::Done::nothing;
    co_return result;
}

}  // namespace

asio::awaitable<CreateResult> create_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, CreateOptions options,
                                        Deadline deadline) {
    spec_of(context, machine);  // a name that is none, an unknown entity, an external machine: before anything is made
    CreateResult result;
    const MachineWork create = [&]() -> asio::awaitable<void> {
        const state::FileLock lock = co_await state::lock_vm(context.runtime.pool, context.files(machine), deadline);
        result = co_await create_locked_vm(context, hypervisors, machine, options, deadline);
    };
    if (options.start)
        co_await run_exclusive(context, hypervisors, machine, create, deadline);
    else
        co_await create();
    co_return result;
}

asio::awaitable<CreateResult> create_locked_vm(VmContext& context, Hypervisors& hypervisors, VmIdentity machine,
                                               CreateOptions options, Deadline deadline) {
    const state::VmFiles files = context.files(machine);
    auto clear = [directory = files.directory] { state::remove_stale_temporaries(directory); };
    co_await context.runtime.pool.run(deadline, std::move(clear));
    const LocatedVm existing = co_await hypervisors.locate(machine, deadline);
    if (is_imported(context, machine)) co_return co_await take_over(context, machine, existing, options, deadline);
    Rollback rollback(context, machine);
    rollback.before = co_await load_vm_state(context, machine, deadline);
    CreateResult result;
    std::exception_ptr failure;
    try {
        PrepareOptions prepare;
        prepare.given = options.given;
        prepare.running = is_active(existing.state);
        prepare.libvirt_uri = options.connect.empty() ? existing.libvirt_uri : options.connect;
        PreparedVm vm = co_await prepare_runtime(context, machine, prepare, deadline);
        const Target target = target_of(context, hypervisors, vm, existing, options);
        check(context, vm, target.kind, options.instances);
        const bool made_nvram = co_await make_nvram(context, vm, deadline);
        if (made_nvram) rollback.nvram = vm.runtime.nvram;
        MachineDefinition definition = definition_of(vm, target.kind);
        const std::string digest = digest_of(definition);
        const bool same = existing.backend != nullptr && vm.record.definition_digest == digest;
        if (!same && is_active(existing.state))
            throw Error(Errc::busy,
                        fmt::format("{} is {} with another definition than the project has now; stop it and create it "
                                    "again: ov vm stop {}",
                                    existing.name, to_string(existing.state), machine.entity));
        // Recorded before the first boot: whatever happens from here on, the next run knows what was meant.
        vm.record.definition_digest = digest;
        vm.record.libvirt_uri = target.uri;
        co_await save_record(context, files, vm.record, deadline);
        VmState update;
        update.backend = target.kind == Backend::qemu ? "qemu" : "libvirt";
        update.disk_path = vm.runtime.disk;
        co_await save_vm_state(context, machine, update, deadline);
        if (existing.backend == nullptr) rollback.published = true;
        co_await publish_alias(context, vm, deadline);
        rollback.backend = target.backend;
        rollback.name = definition.name;
        if (!same) {
            if (existing.backend == nullptr) rollback.defined = true;
            co_await target.backend->define(std::move(definition), deadline);
        }
        if (options.start && existing.state != MachineState::running) co_await target.backend->start(rollback.name, deadline);
        if (target.kind == Backend::libvirt && vm.spec.autostart.value_or(false))
            co_await ensure_autostart(context, rollback.name, target.uri, deadline);
        using Done = CreateResult::Done;
        result.backend = target.kind;
        result.done = existing.backend == nullptr               ? Done::created
                      : !same                                   ? Done::redefined
                      : existing.state == MachineState::running ? Done::nothing
                                                                : Done::started;
        result.name = rollback.name;
        result.user = vm.login_user;
        result.ssh_port = static_cast<int>(vm.runtime.ssh_port);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (failure) {
        if (existing.backend == nullptr) co_await rollback.run();
        std::rethrow_exception(failure);
    }
    co_return result;
}

}  // namespace ov
