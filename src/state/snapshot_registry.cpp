#include "state/snapshot_registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/yaml_writer.hpp"
#include "ov/error.hpp"

namespace ov::state {

namespace {

using Json = nlohmann::ordered_json;

std::string path_of(const VmFiles& files) {
    return files.snapshots() + "/registry.json";
}

bool is_alnum(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Members in the order of the format, each with its key.
template <class Entry, class Visit>
void texts_of(Entry& entry, Visit visit) {
    visit("mode", entry.mode);
    visit("origin_mode", entry.origin_mode);
    visit("libvirt_name", entry.libvirt_name);
    visit("disk_path", entry.disk_path);
    visit("disk_format", entry.disk_format);
    visit("active_path", entry.active_path);
    visit("description", entry.description);
    visit("created", entry.created);
    visit("parent", entry.parent);
    visit("state", entry.state);
}

}  // namespace

bool is_valid_snapshot_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= 64 && is_alnum(name.front()) &&
           std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

SnapshotRegistry load_snapshots(const VmFiles& files) {
    SnapshotRegistry registry;
    const auto text = read_file(path_of(files));
    if (!text) return registry;
    const Json whole = Json::parse(*text, nullptr, false);
    const auto damaged = [&] {
        return Error(Errc::spec_invalid, path_of(files) + ": not a registry of snapshots; move it away to go on without it");
    };
    if (!whole.is_object() || (whole.contains("snapshots") && !whole["snapshots"].is_object())) throw damaged();
    const Json all = whole.value("snapshots", Json::object());
    for (const auto& [name, value] : all.items()) {
        if (!value.is_object()) throw damaged();
        Snapshot entry;
        entry.name = name;
        texts_of(entry, [&, &body = value](const char* key, std::string& into) {
            if (const auto found = body.find(key); found != body.end() && found->is_string()) into = found->get<std::string>();
        });
        if (value.contains("refcount") && value["refcount"].is_number_integer()) entry.refcount = value["refcount"].get<int>();
        entry.quiesced = value.value("quiesced", false);
        registry.emplace(name, std::move(entry));
    }
    return registry;
}

void save_snapshots(const VmFiles& files, const SnapshotRegistry& registry) {
    Json all = Json::object();
    for (const auto& [name, entry] : registry) {
        Json value = {{"name", name}};
        texts_of(entry, [&](const char* key, const std::string& text) {
            if (!text.empty()) value[key] = text;
        });
        value["refcount"] = entry.refcount;
        if (entry.quiesced) value["quiesced"] = true;
        all[name] = std::move(value);
    }
    write_file(path_of(files), Json{{"version", 1}, {"snapshots", all}}.dump(2) + "\n", 0600);
}

YamlPtr snapshots_yaml(const SnapshotRegistry& registry) {
    auto list = std::make_shared<YamlNode>();
    list->kind = YamlNode::Kind::sequence;
    for (const auto& [name, entry] : registry) {
        std::vector<std::pair<std::string, YamlPtr>> fields{{"name", yaml_text(name)}, {"mode", yaml_text(entry.mode)}};
        const auto text = [&](const char* key, const std::string& value) {
            if (!value.empty()) fields.emplace_back(key, yaml_text(value));
        };
        text("libvirt_name", entry.libvirt_name);
        text("disk_path", entry.disk_path);
        text("description", entry.description);
        text("created", entry.created);
        text("parent", entry.parent);
        fields.emplace_back("refcount", yaml_integer(entry.refcount));
        list->items.push_back(yaml_map(std::move(fields)));
    }
    return list;
}

}  // namespace ov::state
