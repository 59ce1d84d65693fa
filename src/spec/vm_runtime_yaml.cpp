// Runtime parameters as YAML (`vm-spec.md` 13, decisions 43).
#include <array>

#include "ov/vm_runtime.hpp"
#include "spec/cursor.hpp"
#include "spec/yaml_document.hpp"

namespace ov {

namespace {

using spec::Cursor;
using spec::MapReader;

void over(MapReader& reader, std::string_view key, std::string& value) {
    if (reader.has(key)) value = reader.text(key);
}

void over(MapReader& reader, std::string_view key, long long& value, long long least) {
    const auto found = reader.take(key);
    if (!found || found->node().is_null()) return;
    const auto number = found->integer();
    if (number && *number < least) found->expected(fmt::format("a number of at least {}", least));
    if (number && *number >= least) value = *number;
}

void over(MapReader& reader, std::string_view key, std::vector<std::string>& value) {
    if (reader.has(key)) value = reader.text_list(key);
}

void over(MapReader& reader, std::string_view key, std::optional<SubIdRange>& value) {
    const auto found = reader.take(key);
    if (!found) return;
    value.reset();
    if (found->node().is_null()) return;
    MapReader range(*found);
    SubIdRange ids;
    over(range, "start", ids.start, 0);
    over(range, "count", ids.count, 0);
    range.finish();
    value = ids;
}

void read_host_ids(const Cursor& value, HostIds& ids) {
    MapReader reader(value);
    over(reader, "uid", ids.uid, 0);
    over(reader, "gid", ids.gid, 0);
    over(reader, "subuid", ids.subuid);
    over(reader, "subgid", ids.subgid);
    reader.finish();
}

void read_qemu_paths(const Cursor& value, QemuPaths& paths) {
    // A block given is the whole block: a path left out is not wanted.
    paths = {};
    MapReader reader(value);
    over(reader, "monitor", paths.monitor);
    over(reader, "qmp", paths.qmp);
    over(reader, "console", paths.console);
    over(reader, "pidfile", paths.pidfile);
    reader.finish();
}

void read_snippets(const Cursor& list, std::vector<LayerSnippet>& snippets) {
    snippets.clear();
    for (const Cursor& item : list.items()) {
        MapReader reader(item);
        LayerSnippet snippet{reader.text("layer"), 0, reader.text("xml")};
        long long index = 0;
        over(reader, "index", index, 0);
        snippet.index = static_cast<std::size_t>(index);
        reader.finish();
        snippets.push_back(std::move(snippet));
    }
}

}  // namespace

VmRuntime parse_vm_runtime(std::string_view text, const std::string& file, VmRuntime base, std::vector<Diagnostic>& findings) {
    VmRuntime runtime = std::move(base);
    spec::Report report{file, findings};
    const auto documents = spec::parse_yaml(text, file, findings);
    if (documents.empty()) return runtime;
    if (documents.size() > 1) report.add(Severity::error, documents[1]->line, documents[1]->column, {}, "expected one document");
    MapReader reader(Cursor(documents.front(), {}, report));
    over(reader, "name", runtime.name);
    over(reader, "disk", runtime.disk);
    over(reader, "disk_format", runtime.disk_format);
    over(reader, "seed_iso", runtime.seed_iso);
    over(reader, "ovmf_code", runtime.ovmf_code);
    over(reader, "ovmf_vars_template", runtime.ovmf_vars_template);
    over(reader, "ovmf_format", runtime.ovmf_format);
    over(reader, "nvram", runtime.nvram);
    over(reader, "arch", runtime.arch);
    over(reader, "cpu_vendor", runtime.cpu_vendor);
    if (const auto accelerator = reader.take("accelerator"); accelerator && !accelerator->node().is_null()) {
        constexpr std::array<std::pair<std::string_view, std::string_view>, 2> names{{{"kvm", "kvm"}, {"tcg", "tcg"}}};
        runtime.accelerator = accelerator->one_of(names).value_or("");
    }
    over(reader, "smbios_credentials", runtime.smbios_credentials);
    over(reader, "ram_mb", runtime.ram_mb, 1);
    over(reader, "cpus", runtime.cpus, 1);
    over(reader, "ssh_port", runtime.ssh_port, 0);
    if (runtime.ssh_port > 65535) reader.cursor().error("ssh_port: expected a port number from 0 to 65535");
    over(reader, "extra_port_forwards", runtime.extra_port_forwards);
    over(reader, "state_dir", runtime.state_dir);
    if (const auto ids = reader.take("host_ids"); ids && !ids->node().is_null()) read_host_ids(*ids, runtime.host_ids);
    over(reader, "guest_uid", runtime.guest_uid, 0);
    over(reader, "guest_gid", runtime.guest_gid, 0);
    if (const auto paths = reader.take("qemu_paths"); paths && !paths->node().is_null())
        read_qemu_paths(*paths, runtime.qemu_paths);
    over(reader, "console_log", runtime.console_log);
    if (const auto snippets = reader.take("layer_snippets")) read_snippets(*snippets, runtime.layer_snippets);
    over(reader, "public_key", runtime.public_key);
    over(reader, "instance_id", runtime.instance_id);
    over(reader, "hostname", runtime.hostname);
    over(reader, "ov_url", runtime.ov_url);
    if (const auto keys = reader.take("host_keys"); keys && !keys->node().is_null()) {
        MapReader pair(*keys);
        over(pair, "private", runtime.host_key_private);
        over(pair, "public", runtime.host_key_public);
        pair.finish();
    }
    reader.finish();
    return runtime;
}

}  // namespace ov
