// The hypervisors of this host as the verbs use them: which one a machine is on, which one a new machine gets.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "backend/machine_backend.hpp"
#include "lifecycle/vm_context.hpp"

namespace ov {

/// Where a machine was found.
struct LocatedVm {
    MachineBackend* backend = nullptr;  ///< null: it is not defined anywhere
    MachineState state = MachineState::undefined;
    std::string name;         ///< domain
    std::string libvirt_uri;  ///< empty with QEMU
};

/// Backends are made on first use and shared; `close` ends their connections.
class Hypervisors {
public:
    explicit Hypervisors(VmContext& context);

    MachineBackend& qemu();
    MachineBackend& libvirt(const std::string& uri);

    /// Asks the backend that the machine's state names, and only that one: Error{unreachable} when it does not answer any more.
    /// Without a recorded backend QEMU is asked, then libvirt where a daemon can answer.
    asio::awaitable<LocatedVm> locate(VmIdentity machine, Deadline deadline);
    /// With the state that the caller has read already.
    asio::awaitable<LocatedVm> locate(VmIdentity machine, VmState known, Deadline deadline);

    asio::awaitable<void> close(Deadline deadline);

    /// Tests put their own in.
    std::function<std::unique_ptr<MachineBackend>(const std::string& uri)> make_libvirt;

private:
    VmContext& context_;
    std::unique_ptr<MachineBackend> qemu_;
    std::map<std::string, std::unique_ptr<MachineBackend>> libvirt_;
};

/// Name of the domain: `source.libvirt_name` of an imported machine.
std::string domain_of(const VmContext& context, const VmIdentity& machine);

/// OV_LIBVIRT_URI, else qemu:///system for root and qemu:///session for everybody else (decisions 36).
std::string default_libvirt_uri();
/// The entity's `libvirt.uri`, else the default.
std::string libvirt_uri_of(const VmSpec& spec);

/// Sockets at which a local daemon of this URI listens; empty for other hosts and drivers.
std::vector<std::string> libvirt_sockets(const std::string& uri);
/// False when nothing would answer at `uri`, so that no connection needs to be tried: no socket, and no daemon to start.
bool libvirt_may_answer(const std::string& uri);

/// Everything that decides about the backend of a machine that is to be created.
struct BackendQuestion {
    std::string flag;      ///< of the command line; empty: not given
    std::string recorded;  ///< of an earlier create
    std::string entity;    ///< `backend:` of the entity
    std::string setting;   ///< OV_VM_BACKEND or the setting `vm.backend`
    std::string uri;
    HostFacts facts;
    std::vector<std::string> notes;  ///< of the probe
};
/// The first word that is given decides; `auto` takes libvirt where it answers, else QEMU where it is installed. Throws
/// Error{unsupported} naming what was probed.
Backend choose_backend(const BackendQuestion& question);

/// OV_VM_BACKEND or the setting; Error{usage} naming the place of a word that is none.
std::string backend_setting(const OperatorPaths& paths);

}  // namespace ov
