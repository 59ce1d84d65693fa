// Machines as QEMU processes that outlive this program: started with -daemonize, found again by pidfile, spoken to over QMP.
//
// Everything of a machine lies in <root>/<name>/ (0700): pidfile, sockets, SMBIOS strings in files of mode 0400. Its command
// line is its definition; where that is kept is the store's matter.
#pragma once

#include <memory>

#include "async/runtime.hpp"
#include "backend/machine_backend.hpp"

namespace ov {

/// Keeps command lines: the program and its arguments. Called on the blocking pool.
class CommandStore {
public:
    virtual ~CommandStore() = default;
    virtual std::optional<std::vector<std::string>> load(const std::string& name) const = 0;
    virtual void save(const std::string& name, const std::vector<std::string>& argv) = 0;
    virtual void remove(const std::string& name) = 0;
    /// Names with a definition.
    virtual std::vector<std::string> names() const = 0;
};

/// Files of one machine below its state directory.
struct QemuFiles {
    explicit QemuFiles(const std::string& directory_) : directory(directory_) {}
    std::string directory;
    std::string pidfile() const { return directory + "/qemu.pid"; }
    std::string qmp() const { return directory + "/qmp.sock"; }
    std::string console() const { return directory + "/console.sock"; }
    std::string monitor() const { return directory + "/monitor.sock"; }
    std::string nvram() const { return directory + "/nvram.fd"; }
};

class QemuMachines : public MachineBackend {
public:
    /// `root`: directory of all machines' state (DATA/ov/vm).
    QemuMachines(Runtime& runtime, std::shared_ptr<CommandStore> store, std::string root)
        : runtime_(runtime), store_(std::move(store)), root_(std::move(root)) {}

    Backend kind() const noexcept override { return Backend::qemu; }
    asio::awaitable<MachineState> state(std::string name, Deadline deadline) override;
    asio::awaitable<void> define(MachineDefinition definition, Deadline deadline) override;
    asio::awaitable<void> start(std::string name, Deadline deadline) override;
    asio::awaitable<StopResult> stop(std::string name, StopOptions options, Deadline deadline) override;
    asio::awaitable<void> undefine(std::string name, UndefineOptions options, Deadline deadline) override;
    asio::awaitable<std::vector<MachineRow>> list(Deadline deadline) override;
    asio::awaitable<std::vector<std::string>> disks(std::string name, Deadline deadline) override;
    asio::awaitable<void> save_internal(std::string name, std::string snapshot, std::string description,
                                        Deadline deadline) override;
    asio::awaitable<void> load_internal(std::string name, std::string snapshot, Deadline deadline) override;
    asio::awaitable<void> drop_internal(std::string name, std::string snapshot, Deadline deadline) override;
    asio::awaitable<void> close(Deadline deadline) override;

private:
    /// One of snapshot-save, -load, -delete while it runs, qemu-img with `letter` when it is off.
    asio::awaitable<void> snapshot_job(std::string name, std::string job, std::string letter, std::string snapshot,
                                       Deadline deadline);
    QemuFiles files_of(const std::string& name) const { return QemuFiles(root_ + "/" + name); }
    asio::awaitable<std::optional<std::vector<std::string>>> command_of(std::string name, Deadline deadline);

    Runtime& runtime_;
    std::shared_ptr<CommandStore> store_;
    std::string root_;
};

/// Files of the `-drive file=...` options that are no firmware.
std::vector<std::string> drives_of(const std::vector<std::string>& argv);

/// The word of `query-status` as a state.
MachineState state_of_qemu(std::string_view status) noexcept;

}  // namespace ov
