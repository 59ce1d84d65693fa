// The managed Host stanzas of our machines, and the block in the user's ~/.ssh/config that includes them
// (`vm-lifecycle.md` 10).
//
// The user's file is theirs: whole-line markers, everything outside the block stays byte for byte, mode and symbolic link are
// kept, and a block with one marker missing is an error, never a guess. Both files are edited under a lock of their own.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ov::state {

struct SshAlias {
    std::string name;  ///< "ov-web-1"
    std::string hostname = "127.0.0.1";
    int port = 0;               ///< 0: no Port line
    std::string user;           ///< empty: no User line
    std::string identity_file;  ///< private key; empty: no IdentityFile line (an agent has it)
    std::string known_hosts;
    bool strict = false;     ///< the host key is known: yes, else accept-new
    std::string proxy_jump;  ///< empty: direct
};

struct SshConfigPaths {
    std::string fragment;  ///< ~/.config/ov/ssh_config
    std::string user;      ///< ~/.ssh/config
};
SshConfigPaths ssh_config_paths(const std::string& home);

/// Adds or replaces the machine's stanza and makes sure that it is included. Idempotent. Throws Error{spec_invalid} naming
/// the file and line of an unbalanced marker, Error{usage} for an alias without name or host. Blocks.
void put_alias(const SshConfigPaths& paths, const SshAlias& alias, const std::function<bool()>& cancelled = {});

/// Number of stanzas that stay. With the last one the fragment and the Include block go too. Blocks.
std::size_t remove_alias(const SshConfigPaths& paths, const std::string& name, const std::function<bool()>& cancelled = {});

/// Whether the machine has a stanza. Changes nothing. Blocks.
bool has_alias(const SshConfigPaths& paths, const std::string& name);

// The text of it, for tests.

/// The stanza with a final newline.
std::string stanza_of(const SshAlias& alias);
/// Text of `file` with the managed block replaced by `body` (empty: removed); a new block goes to the top or, for the
/// fragment, to the end.
std::string with_block(std::string_view text, std::string_view body, bool at_top, const std::string& file);
/// Lines between the markers, without them; empty when there is no block.
std::string block_of(std::string_view text, const std::string& file);

}  // namespace ov::state
