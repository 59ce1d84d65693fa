#include "lifecycle/vm_import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deploy/clock.hpp"
#include "lifecycle/vm_keys.hpp"
#include "model/names.hpp"
#include "model/yaml_writer.hpp"
#include "ov/vm_defaults.hpp"
#include "state/project_file.hpp"
#include "state/ssh_config_file.hpp"

namespace ov {

namespace {

using Entries = std::vector<std::pair<std::string, YamlPtr>>;

std::string adopted_as(const VmContext& context, const std::string& domain) {
    for (const auto& [name, entity] : context.project->vms)
        if (entity.spec && entity.spec->source.kind == "imported" && entity.spec->source.libvirt_name == domain) return name;
    return {};
}

/// A domain that one of our verbs made: its state directory is there.
bool is_ours(const VmContext& context, const std::string& domain) {
    if (!domain.starts_with("ov-")) return false;
    return state::read_file(context.vm_state_root() + "/" + domain + "/vm.json").has_value();
}

std::vector<std::string> drift_of(const VmSpec& spec, const DomainFacts& domain) {
    std::vector<std::string> drift;
    const auto compare = [&](const char* key, const std::string& ours, const std::string& theirs) {
        if (ours != theirs)
            drift.push_back(fmt::format("{}: {}, the domain has {}", key, ours.empty() ? "(unset)" : ours, theirs));
    };
    compare("source.disk_path", spec.source.disk_path, domain.disk_path);
    compare("source.disk_format", spec.source.disk_format, domain.disk_format);
    const auto mib = [](const std::string& size) { return vm::parse_size(size, vm::SizeUnit::mib); };
    if (spec.ram.empty() || mib(spec.ram) != mib(domain.ram)) compare("ram", spec.ram, domain.ram);
    compare("cpu", spec.cpu ? std::to_string(*spec.cpu) : "", std::to_string(domain.cpus));
    compare("machine", spec.machine, domain.machine);
    compare("firmware", spec.firmware, domain.firmware);
    compare("network.mode", spec.network.mode, domain.network.empty() ? spec.network.mode : domain.network);
    compare("network.bridge", spec.network.bridge, domain.bridge);
    return drift;
}

ImportRow row_of(const VmContext& context, DomainFacts domain) {
    ImportRow row;
    row.entity = adopted_as(context, domain.name);
    if (!row.entity.empty()) row.drift = drift_of(*context.project->vms.at(row.entity).spec, domain);
    row.domain = std::move(domain);
    return row;
}

/// What the import decides about an entity; what stands there already and is not in it stays.
Entries entity_of(const DomainFacts& domain, const VmSpec* old) {
    Entries source{
        {"kind", yaml_text("imported")},
        {"libvirt_name", yaml_text(domain.name)},
        {"disk_path", yaml_text(domain.disk_path)},
        {"disk_format", yaml_text(domain.disk_format)},
        {"adopted_at", yaml_text(old != nullptr && !old->source.adopted_at.empty() ? old->source.adopted_at : utc_now())}};
    if (old != nullptr) source.emplace_back("last_synced_at", yaml_text(utc_now()));
    if (old != nullptr && !old->source.base_user.empty()) source.emplace_back("base_user", yaml_text(old->source.base_user));
    if (old != nullptr && !old->source.distro.empty()) source.emplace_back("distro", yaml_text(old->source.distro));
    Entries entity{{"source", yaml_map(std::move(source))},
                   {"ram", yaml_text(domain.ram)},
                   {"cpu", yaml_integer(domain.cpus)},
                   {"machine", yaml_text(domain.machine)},
                   {"firmware", yaml_text(domain.firmware)}};
    Entries network;
    if (!domain.network.empty()) network.emplace_back("mode", yaml_text(domain.network));
    if (!domain.bridge.empty()) network.emplace_back("bridge", yaml_text(domain.bridge));
    if (!network.empty()) entity.emplace_back("network", yaml_map(std::move(network)));
    return entity;
}

}  // namespace

bool is_imported(const VmContext& context, const VmIdentity& machine) {
    const auto entity = context.project->vms.find(machine.entity);
    return entity != context.project->vms.end() && entity->second.spec && entity->second.spec->source.kind == "imported";
}

namespace {

/// The hypervisor to ask. Error{unsupported} where nobody would answer.
std::string libvirt_here() {
    std::string uri = default_libvirt_uri();
    if (!libvirt_may_answer(uri))
        throw Error(Errc::unsupported, fmt::format("no libvirt daemon at {} (looked for {}): there are no domains to import", uri,
                                                   fmt::join(libvirt_sockets(uri), ", ")));
    return uri;
}

}  // namespace

asio::awaitable<std::vector<ImportRow>> importable_domains(VmContext& context, Deadline deadline) {
    const std::vector<std::string> all;
    std::vector<DomainFacts> domains = co_await read_domains(context.runtime, libvirt_here(), all, deadline);
    std::vector<ImportRow> rows;
    for (DomainFacts& domain : domains)
        if (!is_ours(context, domain.name)) rows.push_back(row_of(context, std::move(domain)));
    co_return rows;
}

asio::awaitable<ImportRow> importable_domain(VmContext& context, std::string name, Deadline deadline) {
    const std::vector<std::string> one{name};
    std::vector<DomainFacts> domains = co_await read_domains(context.runtime, libvirt_here(), one, deadline);
    co_return row_of(context, std::move(domains.front()));
}

asio::awaitable<std::string> import_domain(VmContext& context, ImportRow row, ImportOptions options, Deadline deadline) {
    const DomainFacts& domain = row.domain;
    if (is_ours(context, domain.name))
        throw Error(Errc::usage, fmt::format("{} was made by ov; its entity is in the project that made it", domain.name));
    if (domain.disk_path.empty())
        throw Error(Errc::unsupported, fmt::format("{}: its definition names no disk that is a file", domain.name));
    std::string name = !row.entity.empty() ? row.entity : options.target_name;
    if (name.empty()) name = domain.name.starts_with("ov-") ? domain.name.substr(3) : domain.name;
    if (!is_valid_entity_name(name))
        throw Error(Errc::usage, fmt::format("'{}' is no VM name ({}); give another with --target-name", name, entity_name_rule));
    if (!row.entity.empty() && !options.target_name.empty() && options.target_name != row.entity)
        throw Error(Errc::usage, fmt::format("{} is adopted as {} already", domain.name, row.entity));
    if (!row.entity.empty() && !options.update)
        throw Error(Errc::usage, fmt::format("{} is adopted as {} already; --update lets the entity follow the domain, --diff "
                                             "shows what differs",
                                             domain.name, row.entity));
    const std::string file = context.project_directory + "/overthink.yml";
    const VmSpec* old = row.entity.empty() ? nullptr : context.project->vms.at(row.entity).spec.get();
    const bool keep_libvirt = !options.replace_libvirt;
    auto write = [file, name, old, domain, keep_libvirt] {
        Entries entity = entity_of(domain, old);
        const YamlPtr before = old != nullptr ? state::vm_entity_in(file, name) : nullptr;
        if (old != nullptr && !before)
            throw Error(Errc::unsupported, fmt::format("vm.{} does not stand in {}; update it where it stands", name, file));
        if (before) {
            for (const YamlEntry& entry : before->entries) {
                const bool ours =
                    std::any_of(entity.begin(), entity.end(), [&](const auto& one) { return one.first == entry.key; });
                if (!ours && (entry.key != "libvirt" || keep_libvirt)) entity.emplace_back(entry.key, entry.value);
            }
        } else {
            Entries ssh;
            if (domain.ssh_port > 0) ssh.emplace_back("port", yaml_integer(domain.ssh_port));
            ssh.emplace_back("key_source", yaml_text("auto"));
            entity.emplace_back("ssh", yaml_map(std::move(ssh)));
        }
        state::write_vm_entity(file, name, *yaml_map(std::move(entity)),
                               before ? state::EntityEdit::replace : state::EntityEdit::add);
    };
    co_await context.runtime.pool.run(deadline, std::move(write));
    co_return name;
}

asio::awaitable<VmState> adopt_imported(VmContext& context, VmIdentity machine, LocatedVm found, Deadline deadline) {
    const VmSpec& spec = spec_of(context, machine);
    const state::VmFiles files = context.files(machine);
    const std::string user = vm::login_user(spec);
    if (user.empty())
        throw Error(
            Errc::spec_invalid,
            fmt::format("vm.{}: who logs in? An imported machine needs ssh.user (its users are its own)", machine.entity));
    const int port = vm::network_mode(spec) == "user" ? static_cast<int>(vm::ssh_port(spec)) : 0;
    if (port == 0)
        throw Error(
            Errc::unsupported,
            fmt::format("vm.{}: its network is {}: where its sshd is, is known for `user` with ssh.port only; describe it as "
                        "an external machine (source.kind: external) to reach it by address",
                        machine.entity, vm::network_mode(spec)));
    const std::string source = vm::key_source(spec), home = context.paths.home;
    if (source == "generate")
        throw Error(Errc::spec_invalid,
                    fmt::format("vm.{}: ssh.key_source: generate: nothing brings a new key into a machine that exists; name the "
                                "public key of one that it knows, or auto",
                                machine.entity));
    state::SshAlias alias;
    alias.name = machine.domain();
    alias.port = port;
    alias.user = user;
    alias.known_hosts = files.known_hosts();
    const state::SshConfigPaths paths = context.ssh_config();
    auto publish = [files, source, home, alias, paths]() mutable {
        state::make_state_directory(files);
        alias.identity_file = ensure_login_key(files, source, home).identity_file;
        state::put_alias(paths, alias);
    };
    co_await context.runtime.pool.run(deadline, std::move(publish));
    VmState update;
    update.backend = "libvirt";
    update.disk_path = spec.source.disk_path;
    update.ssh_port = port;
    update.ssh_user = user;
    update.key_injection = VmState::KeyInjection{false, false};
    update.install_strategy =
        spec.cloud_init && !spec.cloud_init->ov_install.strategy.empty() ? spec.cloud_init->ov_install.strategy : "auto";
    co_await save_vm_state(context, machine, update, deadline);
    auto remember = [files, uri = found.libvirt_uri] {
        state::VmRecord record = state::load_vm_record(files).value_or(state::VmRecord{});
        record.libvirt_uri = uri;
        state::save_vm_record(files, record);
    };
    co_await context.runtime.pool.run(deadline, std::move(remember));
    VmState now = co_await load_vm_state(context, machine, deadline);
    co_return now;
}

}  // namespace ov
