#include "image/pod_overlay.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "image/pod_label_reader.hpp"

namespace ov {

namespace {

using nlohmann::json;

/// The entry with the words for what is wrong in it.
class Overlay {
public:
    Overlay(const YamlNode& entry, const std::string& file) : entry_(entry), file_(file) {}

    [[noreturn]] void wrong(const YamlNode& at, const std::string& field, const std::string& what) const {
        throw SpecError({Diagnostic{{file_, at.line, at.column}, field, what, Severity::error}});
    }
    /// Nothing for an absent field, an empty one and null: they replace nothing (`cli-and-config.md` 5.5).
    const YamlNode* field(const char* key) const {
        const YamlNode* found = entry_.find(key);
        if (found == nullptr || found->is_null()) return nullptr;
        const bool empty = found->is_scalar() ? found->text.empty() : found->items.empty() && found->entries.empty();
        return empty ? nullptr : found;
    }
    std::string text(const YamlNode& value, const std::string& field) const {
        if (!value.is_scalar()) wrong(value, field, fmt::format("expected a text, got a {}", kind_name(value)));
        return value.text;
    }
    json texts(const YamlNode& value, const std::string& field) const {
        if (!value.is_sequence()) wrong(value, field, fmt::format("expected a list of texts, got a {}", kind_name(value)));
        json all = json::array();
        for (const YamlPtr& item : value.items) all.push_back(text(*item, field));
        return all;
    }

private:
    const YamlNode& entry_;
    const std::string& file_;
};

json security_of(const Overlay& overlay, const YamlNode& value, json fields) {
    if (!value.is_map()) overlay.wrong(value, "security", fmt::format("expected a mapping, got a {}", kind_name(value)));
    const std::set<std::string> lists{"cap_add", "devices", "security_opt", "group_add", "mounts"},
        texts{"cgroupns", "ipc_mode", "shm_size", "memory_max", "memory_high", "memory_swap_max", "cpus"};
    for (const YamlEntry& one : value.entries) {
        const std::string name = "security." + one.key;
        if (lists.contains(one.key)) {
            fields[one.key] = overlay.texts(*one.value, name);
        } else if (texts.contains(one.key)) {
            fields[one.key] = overlay.text(*one.value, name);
        } else if (one.key == "privileged") {
            const std::string flag = overlay.text(*one.value, name);
            if (flag != "true" && flag != "false")
                overlay.wrong(*one.value, name, fmt::format("expected true or false, got '{}'", flag));
            fields[one.key] = flag == "true";
        } else {
            overlay.wrong(*one.value, name, "no field of security");
        }
    }
    return fields;
}

/// `{name, type: volume | bind, host}`: a bind is the directory `host` of the machine, or one that is made for it.
void add_binds(const Overlay& overlay, const YamlNode& list, const std::set<std::string>& declared, PodOptions& options) {
    if (!list.is_sequence()) overlay.wrong(list, "volume", fmt::format("expected a list, got a {}", kind_name(list)));
    for (const YamlPtr& item : list.items) {
        const auto member = [&](const char* key) {
            const YamlNode* value = item->find(key);
            return value == nullptr || value->is_null() ? std::string() : overlay.text(*value, std::string("volume.") + key);
        };
        const std::string name = member("name"), type = member("type"), host = member("host");
        if (!declared.contains(name))
            overlay.wrong(*item, "volume.name",
                          name.empty() ? "a volume needs a name" : fmt::format("the image has no volume '{}'", name));
        if (type == "encrypted")
            overlay.wrong(*item, "volume.type",
                          fmt::format("encrypted volumes are not mounted by ov: mount it yourself and make {} a bind of its "
                                      "directory",
                                      name));
        if (!type.empty() && type != "volume" && type != "bind")
            overlay.wrong(*item, "volume.type", fmt::format("expected volume or bind, got '{}'", type));
        if (type != "bind") {
            if (!host.empty()) overlay.wrong(*item, "volume.host", "only a bind has a directory of the machine: type: bind");
            continue;
        }
        if (!host.empty() && !host.starts_with("/") && !host.starts_with("~/"))
            overlay.wrong(*item, "volume.host", fmt::format("expected an absolute path or ~/..., got '{}'", host));
        if (host.find_first_of(":\n") != std::string::npos)
            overlay.wrong(*item, "volume.host", "podman takes no ':' and no line break in the path of a mount");
        options.binds[name] = host;
    }
}

}  // namespace

const YamlNode* pod_entry(const YamlNode& file, const PodOptions& options) {
    const YamlNode* deploys = file.find("deploy");
    if (deploys == nullptr) return nullptr;
    const YamlNode* entry = deploys->find(options.instance.empty() ? options.name : options.name + "/" + options.instance);
    if (entry == nullptr) return nullptr;
    const YamlNode* target = entry->find("target");
    const bool is_pod = target == nullptr || target->is_null() || target->text == "pod" || target->text == "container";
    return is_pod ? entry : nullptr;
}

void overlay_pod(const YamlNode& entry, const std::string& file, std::map<std::string, std::string>& labels, PodOptions& options,
                 std::vector<std::string>& notes) {
    const Overlay overlay(entry, file);
    const auto set = [&labels](const char* key, const std::string& value) { labels[std::string(label_prefix) + key] = value; };
    if (const YamlNode* description = overlay.field("description"))
        for (const char* key : {"status", "info"})
            if (const YamlNode* value = description->find(key); value != nullptr && !value->is_null())
                set(key, overlay.text(*value, std::string("description.") + key));
    const YamlNode* ports = overlay.field("resolved_port");
    if (ports == nullptr) ports = overlay.field("port");
    if (ports != nullptr) set("ports", overlay.texts(*ports, "port").dump());
    if (const YamlNode* env = overlay.field("env")) set("env", overlay.texts(*env, "env").dump());
    if (const YamlNode* network = overlay.field("network")) set("network", overlay.text(*network, "network"));
    const PodLabelReader reader(labels);
    if (const YamlNode* security = overlay.field("security"))
        set("security", security_of(overlay, *security, reader.object("security")).dump());
    if (const YamlNode* volumes = overlay.field("volume")) {
        std::set<std::string> declared;
        for (const json& volume : reader.list("volumes")) declared.insert(label_member(volume, "name", "volumes"));
        add_binds(overlay, *volumes, declared, options);
    }
    if (const YamlNode* engine = overlay.field("engine"); engine != nullptr && overlay.text(*engine, "engine") != "podman")
        overlay.wrong(*engine, "engine", fmt::format("a pod runs under podman, not {}", engine->text));
    for (const char* key : {"tunnel", "sidecar", "secret", "env_file"})
        if (overlay.field(key) != nullptr)
            notes.push_back(fmt::format("{}: {} is not applied to a pod from an image", file, key));
}

}  // namespace ov
