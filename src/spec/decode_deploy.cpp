#include "spec/decode_deploy.hpp"

#include <array>

#include "model/names.hpp"
#include "spec/deploy_fields.hpp"

namespace ov::spec {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> targets{{{"vm", "vm"},
                                                                                {"pod", "pod"},
                                                                                {"local", "local"},
                                                                                {"k8s", "k8s"},
                                                                                {"android", "android"},
                                                                                {"container", "pod"},
                                                                                {"kubernetes", "k8s"}}};

std::vector<std::string> one_or_many(const Cursor& value) {
    if (value.node().is_scalar()) return {value.text()};
    return value.text_list();
}

std::string decode_target(const Cursor& value) {
    if (value.node().is_null() || (value.node().is_scalar() && value.node().text.empty())) return {};
    if (value.node().is_scalar() && value.node().text == "host") {
        value.error("\"host\" is a target of an older schema; use local");
        return {};
    }
    for (const auto& [name, target] : targets)
        if (value.node().is_scalar() && value.node().text == name) return std::string(target);
    value.expected("one of local|vm|pod|k8s|android");
    return {};
}

InstallOptions decode_install_options(const Cursor& value) {
    InstallOptions options;
    MapReader reader(value);
    const auto read = [&](std::string_view key, std::optional<bool>& into) {
        if (const auto flag = reader.take(key)) into = flag->boolean();
    };
    read("with_service", options.with_services);
    read("allow_repo_changes", options.allow_repo_changes);
    read("allow_root_tasks", options.allow_root_tasks);
    read("skip_incompatible", options.skip_incompatible);
    read("verify", options.verify);
    options.builder_image = reader.text("builder_image");
    reader.finish();
    return options;
}

VmState decode_vm_state(const Cursor& value) {
    VmState state;
    MapReader reader(value);
    state.instance_id = reader.text("instance_id");
    state.disk_path = reader.text("disk_path");
    state.seed_iso = reader.text("seed_iso");
    if (const auto port = reader.take("ssh_port"))
        if (const auto number = port->integer()) state.ssh_port = static_cast<int>(*number);
    state.ssh_user = reader.text("ssh_user");
    state.backend = reader.text("backend");
    if (const auto keys = reader.take("key_injection_resolved"); keys && !keys->node().is_null()) {
        MapReader pair(*keys);
        const bool smbios = pair.boolean("smbios");
        state.key_injection = VmState::KeyInjection{smbios, pair.boolean("cloud_init")};
    }
    state.install_strategy = reader.text("ov_install_strategy");
    state.cloud_init_digest = reader.text("cloud_init_rendered_digest");
    if (const auto snapshot = reader.take("snapshot")) state.snapshot = snapshot->share();
    if (const auto ephemeral = reader.take("ephemeral")) state.ephemeral = ephemeral->share();
    return state;
}

void check_key(const Cursor& cursor, const DeployNode& node) {
    if (const std::string problem = deploy_key_problem(node.key); !problem.empty()) cursor.error(problem);
    const bool generated = node.vm_state && node.vm_state->ephemeral;
    if (node.key.find("-eph-") != std::string::npos && !generated)
        cursor.error("names with \"-eph-\" are reserved for generated ephemeral deploys");
    if (!node.key.starts_with("vm:") || node.vm.empty()) return;
    const std::string entity =
        node.key.substr(3, node.key.find('/') == std::string::npos ? std::string::npos : node.key.find('/') - 3);
    if (entity != node.vm) cursor.error(fmt::format("the key names the entity \"{}\", its vm: names \"{}\"", entity, node.vm));
}

}  // namespace

DeployNode decode_deploy_node(const std::string& key, const Cursor& cursor) {
    DeployNode node;
    node.key = key;
    node.where = cursor.where();
    node.body = cursor.share();
    MapReader reader(cursor);
    node.version = reader.text("version");
    if (const auto target = reader.take("target")) node.target = decode_target(*target);
    node.vm = reader.text("vm");
    node.image = reader.text("image");
    node.pod = reader.text("pod");
    node.lifecycle = reader.text("lifecycle");
    node.from_snapshot = reader.text("from_snapshot");
    node.add_layers = reader.text_list("add_layer");
    if (const auto env = reader.take("env")) {
        for (const Cursor& line : env->items()) {
            const std::string text = line.text();
            if (line.node().is_scalar() && (text.find('=') == std::string::npos || text.front() == '='))
                line.expected("KEY=VALUE");
            node.env.push_back(text);
        }
    }
    if (const auto install = reader.take("install_opts")) node.install = decode_install_options(*install);
    if (const auto tags = reader.take("tag")) node.tags = one_or_many(*tags);
    if (const auto disposable = reader.take("disposable")) node.disposable = disposable->boolean();
    node.host = reader.text("host");
    node.user = reader.text("user");
    node.ssh_args = reader.text_list("ssh_arg");
    if (const auto cpus = reader.take("cpus"); cpus && !cpus->node().is_null()) {
        const auto number = cpus->integer();
        if (number && (*number < 0 || *number > 4096))
            cpus->expected("a number of CPUs");
        else if (number)
            node.cpus = static_cast<int>(*number);
    }
    node.ram = reader.text("ram");
    node.disk_size = reader.text("disk_size");
    if (const auto eval = reader.take("eval")) {
        eval->items();
        node.eval = eval->share();
    }
    if (const auto tokens = reader.take("requires_exclusive"))
        for (const Cursor& token : tokens->items())
            if (token.text().empty()) token.error("an exclusive token needs a name");
    if (const auto state = reader.take("vm_state"); state && !state->node().is_null()) node.vm_state = decode_vm_state(*state);
    if (const auto nested = reader.take("nested")) node.nested = decode_deploy_map(*nested);
    for (const DeployField& field : deploy_fields)
        if (field.opaque) reader.ignore(field.name);
    reader.finish();

    check_key(cursor, node);
    if (!node.from_snapshot.empty() && !node.target.empty() && node.target != "vm")
        cursor.error(fmt::format("from_snapshot is for target vm only, this deploy has target {}", node.target));
    return node;
}

DeployMap decode_deploy_map(const Cursor& cursor) {
    DeployMap nodes;
    for (const auto& [key, value] : cursor.entries()) {
        if (!value.node().is_map() && !value.node().is_null()) {
            value.expected("a mapping");
            continue;
        }
        nodes.insert_or_assign(key, decode_deploy_node(key, value));
    }
    return nodes;
}

namespace {

/// Whether an overlay's field counts as set: anything but empty values; `disposable` counts even when false.
bool is_set(const YamlEntry& field) {
    const YamlNode& value = *field.value;
    switch (value.kind) {
        case YamlNode::Kind::null:
            return false;
        case YamlNode::Kind::sequence:
            return !value.items.empty();
        case YamlNode::Kind::map:
            return !value.entries.empty();
        case YamlNode::Kind::scalar:
            break;
    }
    if (value.text.empty()) return false;
    if (field.key == "disposable" || !value.plain) return true;
    return value.text != "0" && value.text != "false";
}

YamlPtr merge_bodies(const YamlNode& project, const YamlNode& overlay) {
    auto merged = std::make_shared<YamlNode>(project);
    merged->kind = YamlNode::Kind::map;
    for (const YamlEntry& field : overlay.entries) {
        if (!is_set(field)) continue;
        bool replaced = false;
        for (YamlEntry& mine : merged->entries)
            if (mine.key == field.key) mine = field, replaced = true;
        if (!replaced) merged->entries.push_back(field);
    }
    return merged;
}

}  // namespace

DeployMap merge_deploys(const DeployMap& project, const DeployMap& overlay) {
    DeployMap merged = project;
    for (const auto& [key, node] : overlay) {
        const auto mine = merged.find(key);
        if (mine == merged.end()) {
            merged.emplace(key, node);
            continue;
        }
        std::vector<Diagnostic> known_already;
        Report report{mine->second.where.file, known_already};
        const SourcePosition where = mine->second.where;
        const YamlPtr eval = mine->second.eval;
        mine->second = decode_deploy_node(key, Cursor(merge_bodies(*mine->second.body, *node.body), key, report));
        mine->second.where = where;
        mine->second.eval = eval;
        mine->second.overlay_eval = node.eval;
        mine->second.overlay_file = node.where.file;
    }
    return merged;
}

}  // namespace ov::spec
