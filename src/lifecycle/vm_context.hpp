// What the verbs of a machine's life share: project, operator's places, this host's facts, and where to tell what happens.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "async/event.hpp"
#include "async/runtime.hpp"
#include "lifecycle/deploy_target.hpp"
#include "ov/deadline.hpp"
#include "ov/events.hpp"
#include "ov/host_facts.hpp"
#include "ov/project.hpp"
#include "state/ssh_config_file.hpp"
#include "state/vm_files.hpp"

namespace ov {

/// Facts of this host, probed once for each libvirt URI, whoever asks first. Copies share what is known.
class LazyFacts {
public:
    LazyFacts();
    /// Facts that are known already, for tests and `--facts`.
    explicit LazyFacts(HostFacts known);
    asio::awaitable<HostFacts> get(std::string libvirt_uri, Deadline deadline);
    /// Notes of the probes so far.
    const std::vector<std::string>& notes() const noexcept;

private:
    struct Probe;
    struct State;
    std::shared_ptr<State> state_;
};

struct VmContext {
    Runtime& runtime;
    std::shared_ptr<const Project> project;
    OperatorPaths paths;
    std::string project_directory;  ///< absolute
    std::string deploy_file;        ///< the host's deploy.yml
    LazyFacts facts{};
    std::function<void(const std::string&)> note{};          ///< for people, on stderr or as events
    std::function<void(const event::Transfer&)> progress{};  ///< downloads and copies

    void say(const std::string& text) const {
        if (note) note(text);
    }
    state::VmFiles files(const VmIdentity& machine) const { return {paths.vm_state(machine)}; }
    std::string vm_state_root() const { return paths.home + "/.local/share/ov/vm"; }
    std::string ports_lock() const { return paths.home + "/.local/share/ov/ports.lock"; }
    std::string image_cache() const { return paths.home + "/.cache/ov/vm-images"; }
    state::SshConfigPaths ssh_config() const { return state::ssh_config_paths(paths.home); }
    /// `<project>/output/qcow2/<entity>[/<instance>]`: disk.qcow2 and seed.iso.
    std::string disk_directory(const VmIdentity& machine) const;
    /// Deploy keys start `vm:`; the state of a machine may also stand in a node of its own.
    const VmState* known_state(const VmIdentity& machine) const;
};

/// The entity's spec. Error{not_found} naming the VM, the entities there are and a sample; Error{unsupported} for an external
/// machine, which has no hypervisor side; Error{usage} for a name that is none (decisions 27).
const VmSpec& spec_of(const VmContext& context, const VmIdentity& machine);

/// Writes the set fields of `state` for the machine, whichever entry holds its state.
asio::awaitable<void> save_vm_state(VmContext& context, VmIdentity machine, VmState state, Deadline deadline);
/// What stood in deploy.yml before: put back when nothing came of the machine.
asio::awaitable<void> restore_vm_state(VmContext& context, VmIdentity machine, VmState before, Deadline deadline);
/// Fresh from the file: what another process wrote since the project was loaded counts.
asio::awaitable<VmState> load_vm_state(VmContext& context, VmIdentity machine, Deadline deadline);

}  // namespace ov
