// Reads known_hosts files and decides about a server's key. Pins new keys where the policy allows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ov {

struct HostKey;

struct KnownHost {
    std::string patterns;   ///< first field as written
    std::string type, key;  ///< "ssh-ed25519", base64
    bool revoked = false;
    int line = 0;
};

/// The lines of one file that we understand. `@cert-authority` lines are counted, not used.
struct KnownHosts {
    std::vector<KnownHost> hosts;
    int authorities = 0;
};

KnownHosts parse_known_hosts(std::string_view text);

/// True when the first field of a line names `host` at `port`: plain names, `[host]:port`, wildcards, negation, hashed names.
bool known_host_matches(std::string_view patterns, std::string_view host, int port);

enum class HostKeyVerdict { match, mismatch, unknown, revoked };

struct HostKeyCheck {
    HostKeyVerdict verdict = HostKeyVerdict::unknown;
    int line = 0;  ///< of the entry that decided
};

HostKeyCheck check_host_key(const KnownHosts& known, std::string_view host, int port, const HostKey& key);

/// Key types on record for the host, in file order without repeats: the ones to ask the server for, or a server with several
/// keys would show one that is not on record.
std::vector<std::string> known_key_types(const KnownHosts& known, std::string_view host, int port);

/// One line for `host` at `port`, ending in a newline.
std::string known_host_line(std::string_view host, int port, const HostKey& key);

}  // namespace ov
