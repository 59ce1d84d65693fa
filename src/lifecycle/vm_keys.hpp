// The keys of one machine: the pair that `ov` logs in with, and the host key that the guest will show.
#pragma once

#include <string>
#include <vector>

#include "exec/ssh_keypair.hpp"
#include "state/vm_files.hpp"

namespace ov {

/// Who may log in and with what.
struct LoginKey {
    std::string public_line;    ///< one line, no newline; empty: no key is injected
    std::string identity_file;  ///< the private half; empty: it is in an agent or nowhere
    std::vector<std::string> notes;
};

/// `ssh.key_source`: generate, auto, none or the path of a public key (`cloud-init.md` 9.1). A generated pair is made once and
/// then stays; half a pair, or halves that do not belong together, is Error{spec_invalid} naming both files. The caller holds
/// the machine's lock. Blocks.
LoginKey ensure_login_key(const state::VmFiles& files, const std::string& source, const std::string& home);

/// The guest's ed25519 host key, made once (decisions 40). Blocks.
SshKeypair ensure_host_key(const state::VmFiles& files);

/// The OEM strings that bring `public_line` to `user` without cloud-init (`libvirt-renderer.md` 6.5). Pure.
std::vector<std::string> smbios_credentials(const std::string& user, const std::string& public_line);

/// A random version 4 UUID, lower case: a cloud-init instance-id.
std::string new_instance_id();

}  // namespace ov
