// Everything a machine needs before it is defined: keys, instance id, seed, port, and the renderers' complete parameters.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lifecycle/vm_context.hpp"
#include "lifecycle/vm_keys.hpp"
#include "ov/render.hpp"
#include "ov/vm_runtime.hpp"
#include "state/settings.hpp"

namespace ov {

/// A machine that can be rendered, defined and started.
struct PreparedVm {
    VmIdentity machine;
    VmSpec spec;  ///< with instance.yml and the overrides merged
    VmRuntime runtime;
    HostFacts facts;
    LoginKey key;
    std::string login_user;
    std::string seed_digest;      ///< of the user-data; empty: no seed
    bool host_key_known = false;  ///< the guest will show the key that the seed brings
    state::VmFiles files;
    state::VmRecord record;
    VmState state;                     ///< as it stands in deploy.yml now
    std::vector<Diagnostic> warnings;  ///< of instance.yml
};

struct PrepareOptions {
    state::VmOverrides given;  ///< of this command line; laid over the recorded ones
    bool running = false;      ///< the machine runs: its port is rightly taken, its seed is not touched
    bool need_disk = true;     ///< Error{not_found} naming the path and `ov vm build` when there is no disk
    bool reserve_port = true;
    std::string libvirt_uri;  ///< whose facts count; empty: the entity's, else the default
};

/// Whether the machine boots with a NoCloud seed (decisions 21).
bool wants_seed(const VmSpec& spec);

/// What neither entity nor command line says, from the operator's settings.
void fill_from_settings(VmSpec& spec, const state::Settings& settings);

/// The spec as it is for this machine on this host: instance.yml and command-line overrides merged in.
asio::awaitable<VmSpec> effective_spec(VmContext& context, VmIdentity machine, state::VmOverrides overrides, Deadline deadline,
                                       std::vector<Diagnostic>& warnings);

/// Makes what is missing (keys, instance id, seed, port), records it in deploy.yml and vm.json, and fills the runtime.
/// Idempotent. The caller holds the machine's lock.
asio::awaitable<PreparedVm> prepare_runtime(VmContext& context, VmIdentity machine, PrepareOptions options, Deadline deadline);

/// Renders and packs the seed into `path`. Returns the digest of its user-data.
asio::awaitable<std::string> write_seed(VmContext& context, VmSpec spec, VmRuntime runtime, std::string path, Deadline deadline);

/// Writes known_hosts (when the guest's key is known) and the managed ssh stanza for the machine at `runtime.ssh_port`.
asio::awaitable<void> publish_alias(VmContext& context, const PreparedVm& vm, Deadline deadline,
                                    std::string hostname = "127.0.0.1", std::string proxy_jump = {});

}  // namespace ov
