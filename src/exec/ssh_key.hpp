// Private keys that need no decoder: ed25519 without a passphrase, in OpenSSH's own format. libssh2 lets libcrypto try all its
// decoders on a key first, for every connection: a sixth of what a connection costs us.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ov {

class SshKey {
public:
    /// From the bytes of a key file. Nothing when it is another kind, encrypted or damaged: libssh2 may know more about it.
    static std::optional<SshKey> parse(std::string_view file);

    /// The public key as it goes over the wire.
    const std::string& blob() const noexcept { return blob_; }
    /// 64 bytes. Throws Error{internal} when libcrypto does not sign.
    std::string sign(std::string_view data) const;

private:
    struct Free {
        void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    };
    std::string blob_;
    std::unique_ptr<EVP_PKEY, Free> key_;
};

}  // namespace ov
