#include "lifecycle/vm_clone.hpp"

#include <fmt/format.h>

#include "backend/disk_image.hpp"
#include "lifecycle/vm_snapshot.hpp"
#include "model/names.hpp"
#include "model/yaml_writer.hpp"
#include "ov/load.hpp"
#include "ov/vm_defaults.hpp"
#include "state/project_file.hpp"

namespace ov {

namespace {

VmIdentity machine_named(const std::string& text) {
    const DeployKey key = split_deploy_key(text);
    return {key.base, key.instance};
}

/// "a, b" of what there is, for messages.
std::string names_of(const state::SnapshotRegistry& registry) {
    std::string names;
    for (const auto& [name, entry] : registry) names += (names.empty() ? "" : ", ") + name;
    return names.empty() ? "none" : names;
}

const state::Snapshot& need_snapshot(const state::SnapshotRegistry& registry, const VmIdentity& parent, const std::string& name) {
    const auto found = registry.find(name);
    if (found == registry.end())
        throw Error(Errc::not_found, fmt::format("VM {} has no snapshot {} (it has: {}); make one: ov vm snapshot create {} {}",
                                                 parent.domain().substr(3), name, names_of(registry), parent.entity, name));
    return found->second;
}

}  // namespace

std::string clone_source(const VmSpec& spec) {
    return fmt::format("clone:{}@{}", spec.source.from_vm, spec.source.from_snapshot);
}

asio::awaitable<BaseImage> clone_base(VmContext& context, VmSpec spec, Deadline deadline) {
    const VmIdentity parent = machine_named(spec.source.from_vm);
    spec_of(context, parent);
    state::SnapshotRegistry registry = co_await list_snapshots(context, parent, deadline);
    if (!need_snapshot(registry, parent, spec.source.from_snapshot).external()) {
        context.say(fmt::format("snapshot {} of {} is internal: it gets a file of its own first", spec.source.from_snapshot,
                                parent.domain().substr(3)));
        Hypervisors hypervisors(context);
        co_await promote_snapshot(context, hypervisors, parent, spec.source.from_snapshot, deadline);
        co_await hypervisors.close(deadline);
        registry = co_await list_snapshots(context, parent, deadline);
    }
    const state::Snapshot& snapshot = need_snapshot(registry, parent, spec.source.from_snapshot);
    if (!snapshot.state.empty())
        throw Error(Errc::busy, fmt::format("snapshot {} of {} is unfinished ({}); look at it first: ov vm snapshot list {}",
                                            snapshot.name, parent.domain().substr(3), snapshot.state, parent.entity));
    BaseImage base;
    base.path = snapshot.disk_path;
    base.format = snapshot.disk_format.empty() ? "qcow2" : snapshot.disk_format;
    const DiskInfo info = co_await disk_info(base.path, deadline, true);
    base.virtual_size = info.virtual_size;
    co_return base;
}

asio::awaitable<void> count_clone(VmContext& context, std::string source, int change, Deadline deadline) {
    constexpr std::string_view prefix = "clone:";
    const std::size_t at = source.rfind('@');
    if (!source.starts_with(prefix) || at == std::string::npos) co_return;
    const VmIdentity parent = machine_named(source.substr(prefix.size(), at - prefix.size()));
    std::string gone;
    try {
        co_await reference_snapshot(context, parent, source.substr(at + 1), change, deadline);
    } catch (const Error& error) {
        if (change > 0 || error.code() != Errc::not_found) throw;
        gone = error.what();
    }
    if (!gone.empty()) context.say(gone);
}

asio::awaitable<void> add_clone_entity(VmContext& context, CloneRequest request, Deadline deadline) {
    if (!is_valid_entity_name(request.name))
        throw Error(Errc::usage, fmt::format("'{}' is no VM name: {}", request.name, entity_name_rule));
    const std::size_t at = request.from.find('@');
    const VmIdentity parent = machine_named(request.from.substr(0, at));
    const std::string snapshot = at == std::string::npos ? std::string() : request.from.substr(at + 1);
    const VmSpec& spec = spec_of(context, parent);
    const state::SnapshotRegistry registry = co_await list_snapshots(context, parent, deadline);
    if (snapshot.empty())
        throw Error(Errc::usage, fmt::format("--from {0}: name a snapshot, as {0}@NAME; {0} has: {1}. Make one: ov vm snapshot "
                                             "create {0} NAME",
                                             request.from.substr(0, at), names_of(registry)));
    need_snapshot(registry, parent, snapshot);

    std::vector<std::pair<std::string, YamlPtr>> source{
        {"kind", yaml_text("clone")}, {"from_vm", yaml_text(request.from.substr(0, at))}, {"from_snapshot", yaml_text(snapshot)}};
    if (request.cloud_init_clean) source.emplace_back("cloud_init_clean", yaml_boolean(true));
    const auto add = [](std::vector<std::pair<std::string, YamlPtr>>& map, const char* key, const std::string& text) {
        if (!text.empty()) map.emplace_back(key, yaml_text(text));
    };
    add(source, "base_user", spec.source.base_user);
    add(source, "distro", spec.source.distro);
    std::vector<std::pair<std::string, YamlPtr>> entity{{"source", yaml_map(std::move(source))}};
    add(entity, "ram", spec.ram);
    if (spec.cpu) entity.emplace_back("cpu", yaml_integer(*spec.cpu));
    add(entity, "machine", spec.machine);
    add(entity, "firmware", spec.firmware);
    add(entity, "backend", spec.backend);
    std::vector<std::pair<std::string, YamlPtr>> ssh;
    add(ssh, "user", spec.ssh.user);
    ssh.emplace_back("port_auto", yaml_boolean(true));
    ssh.emplace_back("key_source", yaml_text(vm::key_source(spec)));
    entity.emplace_back("ssh", yaml_map(std::move(ssh)));
    const std::string file = context.project_directory + "/overthink.yml";
    auto write = [file, name = request.name, body = yaml_map(std::move(entity))] {
        state::write_vm_entity(file, name, *body, state::EntityEdit::add);
    };
    co_await context.runtime.pool.run(deadline, std::move(write));
}

}  // namespace ov
