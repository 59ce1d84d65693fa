// What a hypervisor can do with one machine: define, start, stop, undefine, tell its state. Two of them: QEMU and libvirt.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/deadline.hpp"
#include "ov/vm_defaults.hpp"

namespace ov {

enum class MachineState { undefined, shut_off, running, paused, shutting_down, crashed, suspended, unknown };

/// The words of `vm list`: "running", "shut off", ...; "undefined" for none.
std::string_view to_string(MachineState state) noexcept;
/// Whether the machine holds its disk: everything but undefined and shut off (a crashed one may still have its process).
bool is_active(MachineState state) noexcept;

/// What the machine is to be. A backend reads its own half.
struct MachineDefinition {
    std::string name;               ///< domain: "ov-web"
    std::string xml;                ///< libvirt
    std::vector<std::string> argv;  ///< QEMU: the program and its arguments, SMBIOS strings by value
    bool autostart = false;         ///< libvirt's own flag
};

struct StopOptions {
    enum class Way {
        graceful,        ///< ask the guest; Error{timed_out} naming --force when it does not end in time
        graceful_first,  ///< ask the guest, after the time power off
        force,           ///< power off
    };
    Way way = Way::graceful;
    std::chrono::milliseconds timeout = std::chrono::seconds(60);
};

enum class StopResult { undefined, was_off, guest_shut_down, powered_off };

struct UndefineOptions {
    bool keep_nvram = true;
};

struct MachineRow {
    std::string name;
    MachineState state = MachineState::unknown;
    bool operator==(const MachineRow&) const = default;
};

/// All calls belong to the loop's thread; one call at a time for one machine (callers hold the VM's lock).
class MachineBackend {
public:
    virtual ~MachineBackend() = default;
    virtual Backend kind() const noexcept = 0;

    virtual asio::awaitable<MachineState> state(std::string name, Deadline deadline) = 0;
    /// Replaces an older definition of that name. The machine must be off.
    virtual asio::awaitable<void> define(MachineDefinition definition, Deadline deadline) = 0;
    /// Off: boots. Paused or suspended: resumes. Running: nothing. Error{not_found} when it is not defined; a hypervisor that
    /// ends at start is Error{io} with what it wrote.
    virtual asio::awaitable<void> start(std::string name, Deadline deadline) = 0;
    /// Returns when the machine is off.
    virtual asio::awaitable<StopResult> stop(std::string name, StopOptions options, Deadline deadline) = 0;
    /// Forgets an off machine; nothing when there is none. Disks, keys and the operator's files stay.
    virtual asio::awaitable<void> undefine(std::string name, UndefineOptions options, Deadline deadline) = 0;
    /// Every machine whose name starts with "ov-", by name.
    virtual asio::awaitable<std::vector<MachineRow>> list(Deadline deadline) = 0;
    /// Files that the machine's disks are on, as its definition says; nothing when it is not defined.
    virtual asio::awaitable<std::vector<std::string>> disks(std::string name, Deadline deadline) = 0;
    /// A snapshot inside the disk's own file: with the memory of a running machine, of the disk alone when it is off. A machine
    /// whose disk cannot hold one is an error with the hypervisor's words.
    virtual asio::awaitable<void> save_internal(std::string name, std::string snapshot, std::string description,
                                                Deadline deadline) = 0;
    virtual asio::awaitable<void> load_internal(std::string name, std::string snapshot, Deadline deadline) = 0;
    virtual asio::awaitable<void> drop_internal(std::string name, std::string snapshot, Deadline deadline) = 0;
    /// Ends connections. Idempotent.
    virtual asio::awaitable<void> close(Deadline deadline) = 0;
};

}  // namespace ov
