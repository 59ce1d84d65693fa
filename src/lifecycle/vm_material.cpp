#include "lifecycle/vm_material.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "lifecycle/hypervisors.hpp"
#include "lifecycle/instances.hpp"
#include "lifecycle/seed_image.hpp"
#include "ov/vm_defaults.hpp"
#include "ov/vm_validate.hpp"
#include "state/port_book.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

state::VmOverrides laid_over(state::VmOverrides below, const state::VmOverrides& above) {
    const auto lay = [](std::string& into, const std::string& from) {
        if (!from.empty()) into = from;
    };
    lay(below.ram, above.ram);
    lay(below.disk_size, above.disk_size);
    lay(below.root_size, above.root_size);
    lay(below.ssh_key, above.ssh_key);
    if (above.cpus > 0) below.cpus = above.cpus;
    return below;
}

/// What the deploy node of the machine says about sizes overrides its entity (`cli-and-config.md` 5.2).
state::VmOverrides sizes_of_node(const VmContext& context, const VmIdentity& machine) {
    const DeployNode* above = nullptr;
    try {
        above = instance_template(*context.project, machine.entity);
    } catch (const Error& several) {
        if (several.code() != Errc::usage) throw;  // none of them is this machine's without being named
    }
    const auto own = context.project->deploys.find(machine.key());
    const DeployNode node = instance_node(above, own != context.project->deploys.end() ? &own->second : nullptr, machine);
    state::VmOverrides sizes;
    sizes.ram = node.ram;
    sizes.disk_size = node.disk_size;
    sizes.cpus = node.cpus.value_or(0);
    return sizes;
}

void check_size(const std::string& text, const char* what) {
    if (!text.empty() && !vm::parse_size(text, vm::SizeUnit::byte))
        throw Error(Errc::usage, fmt::format("{}: expected a size such as 4G, 512M or 10 GiB, got '{}'", what, text));
}

void apply(VmSpec& spec, const state::VmOverrides& overrides) {
    check_size(overrides.ram, "ram");
    check_size(overrides.disk_size, "disk_size");
    check_size(overrides.root_size, "root_size");
    if (!overrides.ram.empty()) spec.ram = overrides.ram;
    if (overrides.cpus > 0) spec.cpu = overrides.cpus;
    if (!overrides.disk_size.empty()) spec.disk_size = overrides.disk_size;
    if (!overrides.root_size.empty()) spec.source.root_size = overrides.root_size;
    if (!overrides.ssh_key.empty()) {
        const std::string& source = overrides.ssh_key;
        if (source != "auto" && source != "generate" && source != "none" && !source.starts_with('/'))
            throw Error(Errc::usage,
                        fmt::format("--ssh-key: expected auto, generate, none or an absolute path, got '{}'", source));
        spec.ssh.key_source = source;
    }
}

struct Keys {
    LoginKey login;
    SshKeypair host;
    state::VmRecord record;
};

asio::awaitable<Keys> keys_of(VmContext& context, state::VmFiles files, std::string source, bool host_key, Deadline deadline) {
    const std::string home = context.paths.home;
    auto make = [files, source, home, host_key]() -> Keys {
        Keys keys;
        state::make_state_directory(files);
        keys.login = ensure_login_key(files, source, home);
        if (host_key) keys.host = ensure_host_key(files);
        keys.record = state::load_vm_record(files).value_or(state::VmRecord{});
        return keys;
    };
    co_return co_await context.runtime.pool.run(deadline, make);
}

/// Cloud-init is surely in the guest, so what the seed says about host keys holds.
bool surely_reads_seed(const VmSpec& spec) {
    return spec.source.kind == "cloud_image" || spec.source.kind == "clone" || spec.cloud_init.has_value();
}

asio::awaitable<int> port_of(VmContext& context, const PreparedVm& vm, bool running, Deadline deadline) {
    if (vm::network_mode(vm.spec) != "user") co_return 0;
    state::PortRequest request;
    request.lock_file = context.ports_lock();
    request.deploy_file = context.deploy_file;
    request.machine = vm.machine;
    request.key = vm.machine.key();
    // An instance's port is always automatic (decisions 30).
    request.fixed = vm.machine.instance.empty() ? static_cast<int>(vm::ssh_port(vm.spec)) : 0;
    request.preferred = vm.record.ssh_port;
    request.running = running;
    const auto project = context.project;
    auto reserve = [request, project] { return state::reserve_ssh_port(request, project->deploys); };
    co_return co_await context.runtime.pool.run(deadline, reserve);
}

}  // namespace

bool wants_seed(const VmSpec& spec) {
    if (spec.source.kind == "imported" || spec.source.kind == "external") return false;
    return spec.source.kind == "cloud_image" || spec.cloud_init.has_value() || vm::cloud_init_channel(spec);
}

void fill_from_settings(VmSpec& spec, const state::Settings& settings) {
    const auto fill = [&settings](std::string& text, const char* key) {
        if (text.empty()) text = settings.given(key);
    };
    fill(spec.ram, "vm.ram");
    fill(spec.disk_size, "vm.disk_size");
    if (spec.source.kind == "bootc" || spec.source.kind == "bootstrap") fill(spec.source.rootfs, "vm.rootfs");
    const std::string cpus = settings.given("vm.cpus");
    if (!spec.cpu && !cpus.empty()) spec.cpu = std::stoi(cpus);
}

asio::awaitable<VmSpec> effective_spec(VmContext& context, VmIdentity machine, state::VmOverrides overrides, Deadline deadline,
                                       std::vector<Diagnostic>& warnings) {
    VmSpec spec = spec_of(context, machine);
    const std::string path = context.files(machine).instance_override();
    const std::string settings_file = context.paths.settings_file();
    struct Loaded {
        std::optional<InstanceOverride> own;
        std::vector<Diagnostic> warnings;
        state::Settings settings;
    };
    auto load = [path, settings_file] {
        Loaded loaded;
        loaded.own = load_instance_override(path, loaded.warnings);
        loaded.settings = state::Settings::load(settings_file);
        return loaded;
    };
    Loaded loaded = co_await context.runtime.pool.run(deadline, load);
    warnings.insert(warnings.end(), loaded.warnings.begin(), loaded.warnings.end());
    if (loaded.own) spec = apply_override(spec, *loaded.own);
    apply(spec, laid_over(sizes_of_node(context, machine), overrides));
    fill_from_settings(spec, loaded.settings);
    co_return spec;
}

asio::awaitable<std::string> write_seed(VmContext& context, VmSpec spec, VmRuntime runtime, std::string path, Deadline deadline) {
    const CloudInitFiles files = render_cloud_init(spec, runtime);
    auto write = [files, path] { write_seed_image(files, path); };
    co_await context.runtime.pool.run(deadline, write);
    co_return user_data_digest(files);
}

asio::awaitable<PreparedVm> prepare_runtime(VmContext& context, VmIdentity machine, PrepareOptions options, Deadline deadline) {
    PreparedVm vm;
    vm.machine = machine;
    vm.files = context.files(machine);
    vm.state = co_await load_vm_state(context, machine, deadline);
    const state::VmFiles files = vm.files;
    auto load_record = [files] { return state::load_vm_record(files).value_or(state::VmRecord{}); };
    vm.record = co_await context.runtime.pool.run(deadline, load_record);
    vm.record.overrides = laid_over(vm.record.overrides, options.given);
    vm.spec = co_await effective_spec(context, machine, vm.record.overrides, deadline, vm.warnings);
    const std::string uri = options.libvirt_uri.empty() ? libvirt_uri_of(vm.spec) : options.libvirt_uri;
    vm.facts = co_await context.facts.get(uri, deadline);

    vm.runtime = default_runtime(vm.spec, vm.facts, {context.project_directory, context.vm_state_root(), machine.instance});
    if (!vm.record.active_disk.empty()) vm.runtime.disk = vm.record.active_disk;
    if (!vm.record.disk_format.empty()) vm.runtime.disk_format = vm.record.disk_format;
    if (options.need_disk && !fs::exists(vm.runtime.disk))
        throw Error(Errc::not_found, fmt::format("{}: no such disk; build it first: ov vm build {}{}", vm.runtime.disk,
                                                 machine.entity, machine.instance.empty() ? "" : " -i " + machine.instance));
    vm.runtime.console_log = vm.files.console_log();

    const bool seed = wants_seed(vm.spec);
    vm.host_key_known = seed && surely_reads_seed(vm.spec);
    Keys keys = co_await keys_of(context, vm.files, vm::key_source(vm.spec), vm.host_key_known, deadline);
    vm.key = std::move(keys.login);
    for (const std::string& note : vm.key.notes) context.say(note);
    vm.login_user = vm::login_user(vm.spec);
    vm.runtime.public_key = vm.key.public_line;
    if (vm::smbios_channel(vm.spec)) vm.runtime.smbios_credentials = smbios_credentials(vm.login_user, vm.key.public_line);
    vm.runtime.host_key_private = keys.host.private_file;
    vm.runtime.host_key_public = keys.host.public_line;
    vm.runtime.hostname = machine.instance.empty() ? machine.entity : machine.entity + "-" + machine.instance;
    vm.runtime.instance_id = vm.state.instance_id.empty() ? vm.record.instance_id : vm.state.instance_id;
    if (vm.runtime.instance_id.empty()) vm.runtime.instance_id = new_instance_id();

    if (seed) {
        vm.runtime.seed_iso = context.disk_directory(machine) + "/seed.iso";
        const CloudInitFiles rendered = render_cloud_init(vm.spec, vm.runtime);
        vm.seed_digest = user_data_digest(rendered);
        const bool changed = vm.seed_digest != vm.state.cloud_init_digest;
        if (!options.running && (changed || !fs::exists(vm.runtime.seed_iso))) {
            const std::string path = vm.runtime.seed_iso;
            auto write = [rendered, path] { write_seed_image(rendered, path); };
            co_await context.runtime.pool.run(deadline, write);
        }
        if (changed && !vm.state.cloud_init_digest.empty() && !vm.state.backend.empty())
            context.say(
                fmt::format("{}: its cloud-init data changed; a guest that booted before does not run first-boot settings "
                            "again (ov vm build --discard gives it a fresh disk)",
                            machine.domain()));
    }
    if (options.reserve_port) vm.runtime.ssh_port = co_await port_of(context, vm, options.running, deadline);

    VmState update;
    update.instance_id = vm.runtime.instance_id;
    update.disk_path = vm.runtime.disk;
    update.seed_iso = vm.runtime.seed_iso;
    update.cloud_init_digest = vm.seed_digest;
    update.ssh_user = vm.login_user;
    update.key_injection =
        VmState::KeyInjection{vm::smbios_channel(vm.spec), vm::cloud_init_channel(vm.spec) && wants_seed(vm.spec)};
    update.install_strategy =
        vm.spec.cloud_init && !vm.spec.cloud_init->ov_install.strategy.empty() ? vm.spec.cloud_init->ov_install.strategy : "auto";
    co_await save_vm_state(context, machine, update, deadline);
    vm.record.instance_id = vm.runtime.instance_id;
    if (vm.runtime.ssh_port > 0) vm.record.ssh_port = static_cast<int>(vm.runtime.ssh_port);
    const state::VmRecord record = vm.record;
    auto save_record = [files, record] { state::save_vm_record(files, record); };
    co_await context.runtime.pool.run(deadline, save_record);
    vm.state = co_await load_vm_state(context, machine, deadline);
    co_return vm;
}

asio::awaitable<void> publish_alias(VmContext& context, const PreparedVm& vm, Deadline deadline, std::string hostname,
                                    std::string proxy_jump) {
    state::SshAlias alias;
    alias.name = vm.machine.domain();
    alias.hostname = std::move(hostname);
    alias.port = static_cast<int>(vm.runtime.ssh_port);
    alias.user = vm.login_user;
    alias.identity_file = vm.key.identity_file;
    alias.known_hosts = vm.files.known_hosts();
    alias.strict = vm.host_key_known;
    alias.proxy_jump = std::move(proxy_jump);
    std::string known;
    if (vm.host_key_known)
        known = fmt::format("{} {}\n", alias.port == 22 ? alias.hostname : fmt::format("[{}]:{}", alias.hostname, alias.port),
                            vm.runtime.host_key_public);
    const state::SshConfigPaths paths = context.ssh_config();
    auto publish = [alias, known, paths] {
        // A recreated guest has new keys; without a known one the first connect pins afresh.
        if (known.empty())
            state::remove_file(alias.known_hosts);
        else
            state::write_file(alias.known_hosts, known, 0600);
        state::put_alias(paths, alias);
    };
    co_await context.runtime.pool.run(deadline, publish);
}

}  // namespace ov
