// Every key of the schema changes the output of a renderer, or is refused, or belongs to another verb: the last two by closed
// lists with the line of the specification that says so. Nothing is dropped silently.
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "support/render_case.hpp"
#include "support/vm_cases.hpp"

namespace {

using namespace ov::test;
using ov::YamlEntry;
using ov::YamlNode;
using ov::YamlPtr;

/// Refused whatever its value: path -> line of the specification.
const std::map<std::string, const char*> refused{
    {"libvirt.features.ibs", "vm-rendering 3, row 4: the QEMU driver refuses it on x86"},
    {"libvirt.memtune.min_guarantee", "vm-rendering 3, row 14: refused by QEMU"},
    {"libvirt.sysinfo.processor[]", "vm-rendering 3, row 44: not in the schema, plain define drops it"},
    {"libvirt.seclabel.imagelabel", "vm-rendering 3, row 40: an output of running machines"},
    {"libvirt.devices.parallel[].target.type", "libvirt-renderer W12: a parallel port has a number only"},
};

/// One value is legal, which is also the default; any other is refused.
const std::map<std::string, const char*> single_valued{
    {"libvirt.sysinfo.type", "libvirt-renderer W24: smbios"},
    {"libvirt.devices.disks[].driver.name", "libvirt-renderer W9: qemu"},
    {"libvirt.devices.redirdev[].bus", "vm-spec 9: usb"},
    {"libvirt.devices.redirdev[].type", "libvirt-renderer W14: spicevmc"},
    {"libvirt.devices.hub[].type", "vm-spec 9: usb"},
    {"libvirt.devices.panic[].address.type", "libvirt-renderer W18: isa"},
    {"libvirt.devices.hostdevs[].mode", "libvirt-renderer W15: subsystem"},
    {"libvirt.devices.filesystems[].type", "libvirt-renderer W16: mount"},
    {"libvirt.devices.console[].type", "libvirt-renderer W12: pty"},
};

/// Not the renderers' business: path or prefix ending in '.' -> who reads it.
const std::map<std::string, const char*> elsewhere{
    {"source.", "vm-spec 2: build (kind, base_user, distro, libvirt_name and the clean flag also steer the renderers)"},
    {"disk_size", "vm-spec 2: build"},
    {"backend", "vm-spec 2: the verbs choose the backend"},
    {"autostart", "vm-lifecycle 7.1: create"},
    {"ssh.port_auto", "vm-spec 5: create allocates the port"},
    {"ssh.key_source", "cloud-init 9.1: create reads the key"},
    {"ssh.key_injection.smbios", "libvirt-renderer 6.5: create builds the credential"},
    {"cloud_init.ov_install.strategy", "cloud-init 12: deploy"},
    {"libvirt.uri", "decisions 36: which hypervisor"},
    {"libvirt.devices.graphics[].passwd_file", "vm-spec W23: resolved by create"},
    {"snapshot", "vm-spec 7: intent of the snapshot verbs"},
    {"tag", "decisions 58: selectors"},
    {"eval", "vm-spec 2: checks"},
    {"deploy_eval", "vm-spec 2: checks"},
};

/// "libvirt.devices.disks[].target.dev" as steps; "[]" is every item.
std::vector<std::string> steps_of(const std::string& path) {
    std::vector<std::string> steps;
    std::istringstream parts(path);
    for (std::string part; std::getline(parts, part, '.');) {
        const bool list = part.ends_with("[]");
        steps.push_back(list ? part.substr(0, part.size() - 2) : part);
        if (list) steps.emplace_back("[]");
    }
    return steps;
}

/// The tree without the value at the path; `found` when there was one.
YamlPtr without(const YamlPtr& node, const std::vector<std::string>& steps, std::size_t at, bool& found) {
    auto copy = std::make_shared<YamlNode>(*node);
    if (steps[at] == "[]") {
        if (at + 1 == steps.size()) {
            found = found || !copy->items.empty();
            copy->items.clear();
        }
        for (YamlPtr& item : copy->items) item = without(item, steps, at + 1, found);
        return copy;
    }
    for (YamlEntry& entry : copy->entries)
        if (entry.key == steps[at] && at + 1 < steps.size()) entry.value = without(entry.value, steps, at + 1, found);
    if (at + 1 == steps.size())
        found = std::erase_if(copy->entries, [&](const YamlEntry& e) { return e.key == steps[at]; }) > 0 || found;
    return copy;
}

/// Everything that the three renderers say about a document.
std::string rendered(VmCase one, const YamlPtr& spec) {
    one.spec = spec;
    VmCaseInput input = input_of(one, data_directory() / "data" / "facts" / "libvirt-11.3.yml", "/lab");
    input.runtime.disk = "/lab/disk.qcow2";
    input.runtime.public_key = "ssh-ed25519 AAAA lab";
    std::string all = ov::render_domain(input.spec, input.facts, input.runtime);
    for (const std::string& word : ov::render_argv(input.spec, input.facts, input.runtime)) all += word + "\n";
    const ov::CloudInitFiles files = ov::render_cloud_init(input.spec, input.runtime);
    return all + files.user_data + files.meta_data + files.network_config;
}

/// The schema's leaves, a mapping of texts one entry a known key.
std::vector<std::string> all_fields() {
    std::vector<std::string> paths;
    for (const ov::VmField& field : ov::vm_fields()) {
        if (field.keys.empty()) paths.push_back(field.path);
        for (const std::string_view key : field.keys) paths.push_back(field.path + "." + std::string(key));
    }
    return paths;
}

/// The documents of the support table that can be rendered, and those that cover the rest of the schema.
std::vector<VmCase> documents() {
    std::vector<VmCase> all = all_cases(data_directory() / "data", "/lab");
    for (VmCase& one : read_cases(data_directory() / "data" / "vm_fields.yml", "/lab")) all.push_back(std::move(one));
    return all;
}

/// "disks[3].boot" as "disks[].boot".
std::string without_indices(const std::string& path) {
    std::string out;
    bool inside = false;
    for (const char c : path) {
        inside = inside ? c != ']' : false;
        if (!inside) out += c;
        inside = inside || c == '[';
    }
    return out;
}

bool belongs_elsewhere(const std::string& path) {
    for (const auto& [name, reason] : elsewhere)
        if (path == name || path.starts_with(name + (name.ends_with('.') ? "" : "[].")) ||
            (name.ends_with('.') && path.starts_with(name)) || path == name + "[]")
            return true;
    return false;
}

}  // namespace

TEST_CASE("every key of the schema is rendered, refused or read by another verb") {
    const std::vector<std::string> fields = all_fields();
    std::set<std::string> shown, named;
    for (const VmCase& one : documents()) {
        if (!one.spec) continue;
        if (one.kind == VmCase::Kind::bad) {
            const VmCaseInput input = input_of(one, data_directory() / "data" / "facts" / "libvirt-11.3.yml", "/lab");
            for (const ov::Diagnostic& finding : findings_of(input, ov::Backend::libvirt))
                named.insert(without_indices(finding.path));
            continue;
        }
        if (one.row == "vm_fields") {
            const VmCaseInput input = input_of(one, data_directory() / "data" / "facts" / "libvirt-11.3.yml", "/lab");
            CAPTURE(one.name);
            CHECK(joined(findings_of(input, ov::Backend::libvirt)) == "");
        }
        std::string whole;
        for (const std::string& field : fields) {
            if (shown.contains(field)) continue;
            bool found = false;
            const YamlPtr less = without(one.spec, steps_of(field), 0, found);
            if (!found) continue;
            if (whole.empty()) whole = rendered(one, one.spec);
            if (rendered(one, less) != whole) shown.insert(field);
        }
    }
    // The finding stands at the key, or at the mapping that holds it.
    const auto is_named = [&](const std::string& field) {
        const std::string path = "vm.case." + field;
        const std::string parent = path.substr(0, path.rfind('.'));
        return named.contains(path) || named.contains(parent) ||
               (path.ends_with("[]") && named.contains(path.substr(0, path.size() - 2)));
    };
    std::size_t refusals = 0, singles = 0, others = 0;
    for (const std::string& field : fields) {
        if (shown.contains(field)) continue;
        CAPTURE(field);
        if (refused.contains(field)) {
            ++refusals;
            CHECK(is_named(field));
        } else if (single_valued.contains(field)) {
            ++singles;
            CHECK(is_named(field));
        } else if (belongs_elsewhere(field)) {
            ++others;
        } else {
            FAIL_CHECK("is neither rendered by a document nor in a closed list");
        }
    }
    std::cout << "schema keys: " << shown.size() << " rendered, " << refusals << " refused, " << singles << " of one value only, "
              << others << " read by other verbs, " << fields.size() << " total\n";
    CHECK(shown.size() + refusals + singles + others == fields.size());
}
