// Makes ed25519 keys in OpenSSH's own file format, without a passphrase and without calling ssh-keygen.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ov {

struct SshKeypair {
    std::string private_file;  ///< bytes of the private key file; secret
    std::string public_line;   ///< "ssh-ed25519 <base64>", no comment, no newline
};

/// Throws Error{internal} when libcrypto has no randomness.
SshKeypair make_ed25519_keypair();

/// The public line that belongs to a private key file; nothing when it is no unencrypted ed25519 key in OpenSSH's format.
std::optional<std::string> public_line_of(std::string_view private_file);

/// Whether our SSH library signs with RSA keys in a way that today's servers take (decisions 42).
bool rsa_keys_work() noexcept;

}  // namespace ov
