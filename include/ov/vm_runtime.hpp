// What the renderers take besides the spec and the host's facts (`vm-spec.md` 13): names, paths and ports of one machine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/host_facts.hpp"
#include "ov/vm_spec.hpp"

namespace ov {

struct HostIds {
    long long uid = 0, gid = 0;
    std::optional<SubIdRange> subuid, subgid;
    bool operator==(const HostIds&) const = default;
};

/// Empty paths are not rendered.
struct QemuPaths {
    std::string monitor, qmp, console, pidfile;
    bool operator==(const QemuPaths&) const = default;
};

/// A snippet that a layer brings (`libvirt-renderer.md` 8, decisions 22).
struct LayerSnippet {
    std::string layer;
    std::size_t index = 0;  ///< in the layer's own list
    std::string xml;
    bool operator==(const LayerSnippet&) const = default;
};

struct VmRuntime {
    std::string name;  ///< domain and process name
    std::string disk;  ///< root disk; empty: none
    std::string disk_format = "qcow2";
    std::string seed_iso;                                    ///< empty: no cdrom
    std::string ovmf_code, ovmf_vars_template, ovmf_format;  ///< empty for BIOS; format empty: raw
    std::string nvram;                                       ///< this VM's own variables
    std::string arch;                                        ///< empty: the host's
    std::string cpu_vendor;                                  ///< empty: the host's
    std::string accelerator;                                 ///< "kvm", "tcg", empty: by the host's facts (decisions 38)
    std::vector<std::string> smbios_credentials;             ///< ready OEM strings
    long long ram_mb = 4096;
    long long cpus = 2;
    long long ssh_port = 0;  ///< host port; 0: no SSH forward
    std::vector<std::string> extra_port_forwards;
    std::string state_dir;  ///< value of {{.VmStateDir}}
    HostIds host_ids;
    long long guest_uid = 1000, guest_gid = 1000;  ///< who in the guest shares the operator's files (virtiofs id map)
    QemuPaths qemu_paths;
    std::string console_log;  ///< decisions 39; empty: none
    std::vector<LayerSnippet> layer_snippets;

    // For cloud-init alone (decisions 43).
    std::string public_key, instance_id, hostname, ov_url;
    std::string host_key_private, host_key_public;  ///< `host_keys`: the private half is never printed by `vm render`

    bool operator==(const VmRuntime&) const = default;
};

/// Where `ov` keeps things of a machine on this host.
struct VmPlaces {
    std::string project;   ///< absolute project directory; disks are below output/qcow2/
    std::string vm_state;  ///< directory of all machines' state: DATA/ov/vm
    std::string instance;  ///< empty: the entity itself
};

/// The parameters that `vm create` would use before it made anything: names, paths, sizes, the forwarded SSH port, firmware
/// from the facts. No key and no seed; those are the caller's.
VmRuntime default_runtime(const VmSpec& spec, const HostFacts& facts, const VmPlaces& places);

/// YAML with the names of `vm-spec.md` 13 laid over `base`. Findings are appended.
VmRuntime parse_vm_runtime(std::string_view text, const std::string& file, VmRuntime base, std::vector<Diagnostic>& findings);

}  // namespace ov
