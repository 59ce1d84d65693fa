// The snapshots of one machine: <state>/snapshots/registry.json (`vm-lifecycle.md` 12, decisions 41). The caller holds the
// machine's lock.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ov/yaml.hpp"
#include "state/vm_files.hpp"

namespace ov::state {

struct Snapshot {
    std::string name;
    std::string mode;         ///< external or internal
    std::string origin_mode;  ///< the one it was made with; empty: as `mode`
    std::string libvirt_name;
    std::string disk_path;    ///< external: the frozen file; internal: the file that holds it
    std::string disk_format;  ///< of `disk_path`; empty: qcow2
    std::string active_path;  ///< external: the overlay that the machine went on with
    std::string description, created, parent;
    int refcount = 0;  ///< clones that stand on it
    bool quiesced = false;
    std::string state;  ///< empty: complete; "creating" or "deleting": a run was cut short in it
    bool external() const noexcept { return mode == "external"; }
    bool operator==(const Snapshot&) const = default;
};

using SnapshotRegistry = std::map<std::string, Snapshot, std::less<>>;

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
bool is_valid_snapshot_name(std::string_view name) noexcept;

/// Empty when there is no file. Throws Error{spec_invalid} naming one that cannot be read. Blocks.
SnapshotRegistry load_snapshots(const VmFiles& files);
/// Whole, atomic. Keys that this program does not know are lost with their entry only. Blocks.
void save_snapshots(const VmFiles& files, const SnapshotRegistry& registry);

/// `vm_state.snapshot`: the mirror in deploy.yml, by name.
YamlPtr snapshots_yaml(const SnapshotRegistry& registry);

}  // namespace ov::state
