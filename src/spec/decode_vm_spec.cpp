#include "spec/decode_vm_spec.hpp"

#include <algorithm>

#include "spec/vm_field_reader.hpp"
#include "spec/yaml_document.hpp"

namespace ov::spec {

void describe(FieldVisitor& v, VmSpec& spec) {
    v.block("source", spec.source);
    v.text("disk_size", spec.disk_size);
    v.text("ram", spec.ram);
    v.integer("cpu", spec.cpu);
    v.text("machine", spec.machine);
    v.text("firmware", spec.firmware);
    v.text("backend", spec.backend);
    v.boolean("autostart", spec.autostart);
    v.block("network", spec.network);
    v.block("ssh", spec.ssh);
    v.block("cloud_init", spec.cloud_init);
    v.block("libvirt", spec.libvirt);
    v.list("snapshot", spec.snapshot);
    v.text_or_list("tag", spec.tag);
    v.any("eval", spec.eval);
    v.any("deploy_eval", spec.deploy_eval);
}

namespace {

YamlPtr with_child(const YamlPtr& map, std::string_view key, const YamlPtr& value) {
    auto copy = std::make_shared<YamlNode>(*map);
    for (YamlEntry& entry : copy->entries)
        if (entry.key == key) entry.value = value;
    return copy;
}

/// Collects the leaves of the schema.
class FieldLister final : public FieldVisitor {
public:
    std::vector<VmField> fields;

    void text(std::string_view key, std::string&) override { add(key, VmField::Kind::text); }
    void text_list(std::string_view key, std::vector<std::string>&) override { add(key, VmField::Kind::text_list); }
    void text_or_list(std::string_view key, std::vector<std::string>&) override { add(key, VmField::Kind::text_list); }
    void integer(std::string_view key, vm::Int&) override { add(key, VmField::Kind::integer); }
    void boolean(std::string_view key, vm::Bool&) override { add(key, VmField::Kind::boolean); }
    void flag(std::string_view key, bool&) override { add(key, VmField::Kind::boolean); }
    void text_map(std::string_view key, vm::TextMap&, Keys keys) override {
        add(key, VmField::Kind::text_map);
        fields.back().keys = keys;
    }
    void text_maps(std::string_view key, std::vector<vm::TextMap>&) override {
        add(std::string(key) + "[]", VmField::Kind::text_map);
    }
    void listeners(std::string_view key, std::vector<vm::Listener>&) override { add(key, VmField::Kind::any); }
    void any(std::string_view key, YamlPtr&) override { add(key, VmField::Kind::any); }

private:
    bool enter(std::string_view key) override {
        path_.push_back(path_.back() + std::string(key) + ".");
        return true;
    }
    void leave() override { path_.pop_back(); }
    std::size_t enter_list(std::string_view key) override {
        list_ = path_.back() + std::string(key) + "[].";
        return 1;
    }
    void enter_item(std::size_t) override { path_.push_back(list_); }
    void leave_list() override {}
    void add(std::string_view key, VmField::Kind kind) { fields.push_back({path_.back() + std::string(key), kind, {}}); }

    std::vector<std::string> path_{""};
    std::string list_;
};

/// cloud-init takes one document, a mapping: with anything else in it the guest would ignore the whole seed.
void read_extra(VmSpec& spec, Report& report) {
    if (!spec.cloud_init || spec.cloud_init->extra.empty()) return;
    std::vector<Diagnostic> inside;
    const std::vector<YamlPtr> documents = parse_yaml(spec.cloud_init->extra, report.file, inside);
    const auto wrong =
        std::find_if(inside.begin(), inside.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
    if (wrong != inside.end())
        report.findings.push_back(spec.finding(
            "cloud_init.extra", fmt::format("no YAML: {} (line {} of the text)", wrong->message, wrong->where.line)));
    else if (documents.size() == 1 && documents.front()->is_map())
        spec.cloud_init->extra_config = documents.front();
    else if (!documents.empty())
        report.findings.push_back(spec.finding("cloud_init.extra", "must be one YAML mapping of cloud-config keys"));
}

}  // namespace

YamlPtr renamed_key(const YamlPtr& map, std::string_view old, std::string_view now, const std::string& path, Report& report) {
    if (map->find(old) == nullptr) return map;
    auto copy = std::make_shared<YamlNode>(*map);
    const auto found = std::find_if(copy->entries.begin(), copy->entries.end(), [&](const YamlEntry& e) { return e.key == old; });
    const YamlNode* other = map->find(now);
    if (other != nullptr && !equal_values(*other, *found->value))
        report.add(Severity::error, found->line, found->column, join_path(path, old),
                   fmt::format("{} and {} are one key and have different values; keep {}", old, now, now));
    else
        report.add(Severity::warning, found->line, found->column, join_path(path, old),
                   fmt::format("an older spelling; write {}", now));
    if (other != nullptr)
        copy->entries.erase(found);
    else
        found->key = now;
    return copy;
}

YamlPtr with_todays_keys(const Cursor& body) {
    YamlPtr map = renamed_key(body.share(), "cpus", "cpu", body.path(), body.report());
    for (const std::string_view block : {"source", "cloud_init"}) {
        const auto entry =
            std::find_if(map->entries.begin(), map->entries.end(), [&](const YamlEntry& e) { return e.key == block; });
        if (entry == map->entries.end()) continue;
        const YamlPtr inner = renamed_key(entry->value, "packages", "package", join_path(body.path(), block), body.report());
        if (inner != entry->value) map = with_child(map, block, inner);
    }
    return map;
}

VmSpec decode_vm_spec(const std::string& name, const Cursor& cursor) {
    VmSpec spec;
    spec.name = name;
    const Cursor body(with_todays_keys(cursor), cursor.path(), cursor.report());
    spec.places.add("", cursor.where().file, body.share());
    FieldReader reader(body);
    // Some documents carry these for people.
    for (const std::string_view key : {"description", "version"}) reader.root().ignore(key);
    describe(reader, spec);
    reader.finish();
    read_extra(spec, body.report());
    return spec;
}

}  // namespace ov::spec

namespace ov {

const std::vector<VmField>& vm_fields() {
    static const std::vector<VmField> fields = [] {
        spec::FieldLister lister;
        VmSpec spec;
        describe(lister, spec);
        return std::move(lister.fields);
    }();
    return fields;
}

VmSpec parse_vm_spec(std::string_view text, const std::string& name, const std::string& file, std::vector<Diagnostic>& findings) {
    spec::Report report{file, findings};
    auto documents = spec::parse_yaml(text, file, findings);
    if (documents.empty()) documents.push_back(std::make_shared<YamlNode>());
    return spec::decode_vm_spec(name, spec::Cursor(documents.front(), "vm." + name, report));
}

}  // namespace ov
