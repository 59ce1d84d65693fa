// A VM entity as its author wrote it: every key of `vm-spec.md` as a plain value. What an absent key means is decided by
// `ov/vm_defaults.hpp`, what is wrong with it by `ov/vm_validate.hpp`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/vm/hypervisor.hpp"
#include "ov/vm/source_map.hpp"
#include "ov/vm/values.hpp"
#include "ov/yaml.hpp"

namespace ov {

namespace vm {

struct Checksum {
    std::string type, value;
    bool operator==(const Checksum&) const = default;
};

/// `source` (`vm-spec.md` 3); which keys may be set depends on the kind.
struct Source {
    std::string kind;  ///< cloud_image, bootc, bootstrap, clone, imported, external
    std::string url;
    Checksum checksum;
    std::string cache, base_user, image, transport, rootfs;
    std::string root_size;  ///< bare: bytes
    std::string kernel_args, from_vm, from_snapshot;
    Bool cloud_init_clean;
    std::string libvirt_name, disk_path, disk_format, adopted_at, last_synced_at;
    std::string builder, builder_image, distro;
    std::vector<std::string> package;
    std::string bootstrap_arch, bootstrap_variant;
    bool operator==(const Source&) const = default;
};

struct Network {
    std::string mode, model, bridge, mac;
    std::vector<std::string> port_forwards;  ///< `[address:]host:guest[/tcp|udp]`
    bool operator==(const Network&) const = default;
};

struct KeyInjection {
    std::string smbios, cloud_init;  ///< empty, auto, enabled, disabled
    bool operator==(const KeyInjection&) const = default;
};

struct Ssh {
    std::string user, key_source;
    Int port;
    Bool port_auto;
    KeyInjection key_injection;
    bool operator==(const Ssh&) const = default;
};

struct CloudInitUser {
    std::string name, shell;
    bool sudo = false;
    std::vector<std::string> groups;
    Bool lock_passwd;
    bool operator==(const CloudInitUser&) const = default;
};

struct CloudInitFile {
    std::string path, content, owner, perms, encoding;
    bool operator==(const CloudInitFile&) const = default;
};

struct CloudInitNetwork {
    Int version;
    YamlPtr ethernets;  ///< passed through with its YAML types; null when absent
    bool operator==(const CloudInitNetwork&) const = default;
};

struct Mirrors {
    std::vector<std::string> apt, dnf, pacman;
    bool operator==(const Mirrors&) const = default;
};

struct OvInstall {
    std::string strategy, url, checksum;
    bool operator==(const OvInstall&) const = default;
};

/// `cloud_init` (`cloud-init.md` 2).
struct CloudInit {
    std::string hostname, timezone, locale;
    std::vector<CloudInitUser> users;
    std::vector<std::string> package, runcmd, bootcmd;
    std::vector<CloudInitFile> write_files;
    CloudInitNetwork network;
    Mirrors mirrors;
    OvInstall ov_install;
    std::string extra;     ///< raw cloud-config
    YamlPtr extra_config;  ///< `extra` read: a mapping, or null when absent or wrong
    bool operator==(const CloudInit&) const = default;
};

struct Snapshot {
    std::string name, mode, description, from;
    bool quiesce = false;
    bool operator==(const Snapshot&) const = default;
};

}  // namespace vm

struct VmSpec {
    std::string name;  ///< of the entity
    vm::Source source;
    std::string disk_size;  ///< bare: bytes
    std::string ram;        ///< bare: MiB
    vm::Int cpu;
    std::string machine, firmware, backend;
    vm::Bool autostart;
    vm::Network network;
    vm::Ssh ssh;
    std::optional<vm::CloudInit> cloud_init;
    vm::Hypervisor libvirt;
    std::vector<vm::Snapshot> snapshot;
    std::vector<std::string> tag;
    YamlPtr eval, deploy_eval;  ///< opaque here; null when absent

    /// Places of all of it; see `where`.
    SourceMap places;

    /// "vm.web.libvirt.cpu.mode" for "libvirt.cpu.mode": the path that findings show.
    std::string full_path(std::string_view path) const;
    /// The place of the value at a path below the entity, else of what encloses it.
    SourcePosition where(std::string_view path) const { return places.find(path); }
    /// A finding about the value at `path`.
    Diagnostic finding(std::string_view path, std::string message, Severity severity = Severity::error) const;
};

using VmSpecPtr = std::shared_ptr<const VmSpec>;

/// One key of the schema, for tests and documentation: "libvirt.devices.disks[].target.dev".
struct VmField {
    enum class Kind { text, integer, boolean, text_list, text_map, any };
    std::string path;
    Kind kind = Kind::text;
    std::vector<std::string_view> keys;  ///< text_map: the keys that mean something; empty: any key
};
/// Every leaf of the schema, in the order of `vm-spec.md`. The decoder reads exactly these.
const std::vector<VmField>& vm_fields();

/// One entity from the text of its body (the mapping of `vm-spec.md` 2). Findings are appended; the spec holds what could be
/// read. For tests and tools; projects are loaded by `load_project`.
VmSpec parse_vm_spec(std::string_view text, const std::string& name, const std::string& file, std::vector<Diagnostic>& findings);

}  // namespace ov
