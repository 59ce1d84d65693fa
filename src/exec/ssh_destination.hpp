// Where and as whom to connect: what is known about one SSH server before the first byte.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ov/deadline.hpp"

namespace ov {

enum class HostKeyPolicy {
    strict,     ///< the key must be on record
    pin_first,  ///< an unknown key is recorded at the first connect (decisions 40); a different one is always an error
};

struct SshDestination {
    std::string name;  ///< what the user calls it; for messages
    std::string host;
    int port = 22;
    std::string user;
    std::vector<std::string> identities;   ///< private key files, absolute
    std::string agent_socket;              ///< empty: no agent
    std::vector<std::string> known_hosts;  ///< files; new keys go into the first
    std::string host_key_alias;            ///< name to look up in known_hosts, if not `host`
    HostKeyPolicy policy = HostKeyPolicy::pin_first;
    std::vector<SshDestination> jumps;  ///< outermost first
    std::string proxy_command;          ///< already expanded; wins over jumps
};

/// True when nothing is left that ssh_config could say (decisions 45): host, user, identity and known_hosts are all given.
bool is_complete(const SshDestination& destination);

/// Fills what `given` leaves open from the output of `ssh -G`. Pure.
/// `config` is the text that `ssh -G <alias>` printed; `home` resolves `~`.
SshDestination from_ssh_config(SshDestination given, std::string_view config, std::string_view home);

/// Runs `ssh -G` where needed (also for jump hosts) and fills the destination. Throws Error{not_found} without an ssh client.
asio::awaitable<SshDestination> resolve_destination(SshDestination given, Deadline deadline);

}  // namespace ov
