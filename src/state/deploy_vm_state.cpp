// `vm_state` in deploy.yml (`cli-and-config.md` 5.4 and 5.6).
#include <algorithm>
#include <set>

#include "model/yaml_writer.hpp"
#include "state/deploy_config.hpp"

namespace ov::state {

namespace {

/// An entry's machine. What the entry leaves open is taken from the project's deploy of the same key.
VmIdentity machine_of(const DeployDocument& document, const std::string& key, const DeployMap& project) {
    DeployNode node = document.node(key);
    const auto known = project.find(key);
    if (node.vm.empty() && known != project.end()) node.vm = known->second.vm;
    return vm_identity(key, node);
}

YamlPtr overlaid(const YamlPtr& below, const YamlPtr& above, const YamlPtr& own_ephemeral) {
    auto merged = std::make_shared<YamlNode>();
    merged->kind = YamlNode::Kind::map;
    if (below)
        for (const YamlEntry& entry : below->entries)
            if (entry.key != "ephemeral") merged->entries.push_back(entry);
    for (const YamlEntry& entry : above->entries) {
        const auto same =
            std::find_if(merged->entries.begin(), merged->entries.end(), [&](const YamlEntry& e) { return e.key == entry.key; });
        if (same != merged->entries.end())
            same->value = entry.value;
        else
            merged->entries.push_back(entry);
    }
    if (own_ephemeral && merged->find("ephemeral") == nullptr) merged->entries.push_back({"ephemeral", 0, 0, own_ephemeral});
    return merged;
}

YamlPtr field_of(const DeployDocument& document, std::string_view key, std::string_view field) {
    const DeployNode node = document.node(key);
    if (!node.body) return nullptr;
    for (const YamlEntry& entry : node.body->entries)
        if (entry.key == field) return entry.value;
    return nullptr;
}

YamlPtr ephemeral_of(const YamlPtr& state) {
    if (!state) return nullptr;
    for (const YamlEntry& entry : state->entries)
        if (entry.key == "ephemeral") return entry.value;
    return nullptr;
}

/// State as found by the reading rule, as YAML so that unknown keys survive.
YamlPtr known_state(const DeployDocument& document, std::string_view addressed_key, const VmIdentity& machine,
                    const DeployMap& project) {
    for (const std::string& key : {machine.key(), std::string(addressed_key)})
        if (YamlPtr state = field_of(document, key, "vm_state")) return state;
    YamlPtr only;
    for (const std::string& key : document.keys()) {
        YamlPtr state = field_of(document, key, "vm_state");
        if (!state || machine_of(document, key, project) != machine) continue;
        if (only) return nullptr;
        only = std::move(state);
    }
    return only;
}

}  // namespace

YamlPtr vm_state_yaml(const VmState& state) {
    std::vector<std::pair<std::string, YamlPtr>> fields;
    const auto text = [&](const char* key, const std::string& value) {
        if (!value.empty()) fields.emplace_back(key, yaml_text(value));
    };
    text("instance_id", state.instance_id);
    text("disk_path", state.disk_path);
    text("seed_iso", state.seed_iso);
    if (state.ssh_port) fields.emplace_back("ssh_port", yaml_integer(*state.ssh_port));
    text("ssh_user", state.ssh_user);
    text("backend", state.backend);
    if (state.key_injection)
        fields.emplace_back("key_injection_resolved", yaml_map({{"smbios", yaml_boolean(state.key_injection->smbios)},
                                                                {"cloud_init", yaml_boolean(state.key_injection->cloud_init)}}));
    text("ov_install_strategy", state.install_strategy);
    text("cloud_init_rendered_digest", state.cloud_init_digest);
    if (state.snapshot) fields.emplace_back("snapshot", state.snapshot);
    if (state.ephemeral) fields.emplace_back("ephemeral", state.ephemeral);
    return yaml_map(std::move(fields));
}

void record_vm_state(DeployDocument& document, std::string_view primary_key, const VmIdentity& machine, const VmState& state,
                     const DeployMap& project) {
    const YamlPtr update = vm_state_yaml(state);
    const YamlPtr found = known_state(document, primary_key, machine, project);
    std::set<std::string> holders{std::string(primary_key)};
    for (const std::string& key : document.keys())
        if (field_of(document, key, "vm_state") && machine_of(document, key, project) == machine) holders.insert(key);

    const DeployNode primary = document.node(primary_key);
    if (primary.target.empty()) document.set_field(primary_key, "target", yaml_text("vm"));
    if (primary.vm.empty()) document.set_field(primary_key, "vm", yaml_text(machine.entity));
    for (const std::string& key : holders)
        document.set_field(key, "vm_state", overlaid(found, update, ephemeral_of(field_of(document, key, "vm_state"))));
}

void drop_vm_state(DeployDocument& document, const VmIdentity& machine, const DeployMap& project) {
    for (const std::string& key : document.keys()) {
        if (!field_of(document, key, "vm_state") || machine_of(document, key, project) != machine) continue;
        document.remove_field(key, "vm_state");
        const DeployNode rest = document.node(key);
        const bool made_by_us = key.starts_with("vm:") || project.contains(key);
        const bool nothing_else = std::all_of(rest.body->entries.begin(), rest.body->entries.end(),
                                              [](const YamlEntry& entry) { return entry.key == "target" || entry.key == "vm"; });
        if (made_by_us && nothing_else) document.remove_entry(key);
    }
}

}  // namespace ov::state
