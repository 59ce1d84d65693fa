// The files of one machine in its state directory: where each is, the record that `ov` keeps (vm.json), QEMU's saved argv
// (command.json) and the lock of all verbs that change the machine.
#pragma once

#include <asio/awaitable.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/blocking_pool.hpp"
#include "ov/deadline.hpp"
#include "state/state_file.hpp"

namespace ov::state {

/// Names below DATA/ov/vm/<domain>.
struct VmFiles {
    std::string directory;

    std::string identity() const { return directory + "/id_ed25519"; }
    std::string public_key() const { return directory + "/id_ed25519.pub"; }
    std::string host_key() const { return directory + "/ssh_host_ed25519_key"; }
    std::string host_public_key() const { return directory + "/ssh_host_ed25519_key.pub"; }
    std::string known_hosts() const { return directory + "/known_hosts"; }
    std::string instance_override() const { return directory + "/instance.yml"; }
    std::string record() const { return directory + "/vm.json"; }
    std::string command() const { return directory + "/command.json"; }
    std::string lock() const { return directory + "/.lock"; }
    std::string nvram() const { return directory + "/nvram.fd"; }
    std::string pidfile() const { return directory + "/qemu.pid"; }
    std::string qmp() const { return directory + "/qmp.sock"; }
    std::string monitor() const { return directory + "/monitor.sock"; }
    std::string console() const { return directory + "/console.sock"; }
    std::string console_log() const { return directory + "/console.log"; }
    std::string snapshots() const { return directory + "/snapshots"; }
};

/// What the operator gave on command lines; repeated by later runs until given anew. Empty or 0: not given.
struct VmOverrides {
    std::string ram, disk_size, root_size, ssh_key;
    int cpus = 0;
    bool operator==(const VmOverrides&) const = default;
};

/// `vm.json` (decisions 31). Keys that this program does not know survive a save.
struct VmRecord {
    std::string base;         ///< cached image below the disk; empty: the disk stands alone
    std::string base_digest;  ///< SHA-256 of it, hex
    std::string source;       ///< what the disk was built from: URL, "bootc:<image>", "clone:<vm>@<snapshot>"
    std::string active_disk;  ///< the file the machine runs on; empty: the built disk
    std::string disk_format;  ///< of the active disk; empty: qcow2
    std::string nvram_template;
    std::string libvirt_uri;
    std::string instance_id;                   ///< of the disk; survives `vm destroy` as long as the disk does
    int ssh_port = 0;                          ///< last one; taken again when it is free
    std::string definition_digest;             ///< SHA-256 of the XML or argv that defined the machine
    std::map<std::string, std::string> facts;  ///< of the guest, from the last deploy: "distro", "user", "arch", ...
    VmOverrides overrides;
    std::string unknown;  ///< JSON object with the other keys
    bool operator==(const VmRecord&) const = default;
};

/// Nothing when there is no record. Throws Error{spec_invalid} naming a file that is no JSON object. Blocks.
std::optional<VmRecord> load_vm_record(const VmFiles& files);
/// Whole, atomic, 0600; makes the state directory (0700). The caller holds the machine's lock. Blocks.
void save_vm_record(const VmFiles& files, const VmRecord& record);

/// QEMU's argv with the program first. Its presence means "defined" for the QEMU backend. Blocks.
std::optional<std::vector<std::string>> load_command(const VmFiles& files);
void save_command(const VmFiles& files, const std::vector<std::string>& argv);
void remove_command(const VmFiles& files);

/// Makes the state directory, 0700 also where an older program left it open. Blocks.
void make_state_directory(const VmFiles& files);

/// One verb at a time for one machine (build, create, start, stop, destroy, snapshot). May be held while child processes run.
/// Waits without a thread; Error{busy} naming the holder after `wait`.
asio::awaitable<FileLock> lock_vm(BlockingPool& pool, VmFiles files, Deadline deadline,
                                  Deadline::Duration wait = std::chrono::seconds(60));

}  // namespace ov::state
