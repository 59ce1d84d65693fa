#include "exec/ssh_key.hpp"

#include <openssl/crypto.h>

#include <cstdint>

#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::string_view begin_line = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
constexpr std::string_view end_line = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view magic{"openssh-key-v1\0", 15};
constexpr std::size_t seed_size = 32, secret_size = 64;

/// Secret bytes are wiped when they are no longer needed.
struct Secret {
    std::string bytes;
    ~Secret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

bool decode_base64(std::string_view text, std::string& into) {
    std::string joined;
    for (const char c : text)
        if (c != '\n' && c != '\r') joined += c;
    into.resize(joined.size() / 4 * 3);
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(into.data()),
                                     reinterpret_cast<const unsigned char*>(joined.data()), static_cast<int>(joined.size()));
    OPENSSL_cleanse(joined.data(), joined.size());
    return size >= 0;
}

/// The parts of SSH's wire format: 32-bit big-endian numbers, and strings with their length in front.
struct Wire {
    std::string_view rest;
    bool good = true;

    std::uint32_t number() {
        if (rest.size() < 4) good = false;
        if (!good) return 0;
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(rest[i]);
        rest.remove_prefix(4);
        return value;
    }
    std::string_view text() {
        const std::uint32_t size = number();
        if (size > rest.size()) good = false;
        if (!good) return {};
        const std::string_view part = rest.substr(0, size);
        rest.remove_prefix(size);
        return part;
    }
};

}  // namespace

std::optional<SshKey> SshKey::parse(std::string_view file) {
    const std::size_t begin = file.find(begin_line), end = file.find(end_line);
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + begin_line.size()) return {};
    Secret decoded;
    if (!decode_base64(file.substr(begin + begin_line.size(), end - begin - begin_line.size()), decoded.bytes)) return {};
    Wire wire{decoded.bytes};
    if (!wire.rest.starts_with(magic)) return {};
    wire.rest.remove_prefix(magic.size());
    const std::string_view cipher = wire.text(), derivation = wire.text();
    wire.text();
    const std::uint32_t keys = wire.number();
    const std::string_view blob = wire.text();
    if (!wire.good || cipher != "none" || derivation != "none" || keys != 1) return {};
    Wire inner{wire.text()};
    const std::uint32_t check = inner.number(), again = inner.number();
    const std::string_view type = inner.text();
    inner.text();
    const std::string_view secret = inner.text();
    if (!wire.good || !inner.good || check != again || type != "ssh-ed25519" || secret.size() != secret_size) return {};
    SshKey key;
    key.blob_ = blob;
    key.key_.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(secret.data()),
                                                seed_size));
    if (!key.key_) return {};
    return key;
}

std::string SshKey::sign(std::string_view data) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(data.data()), data.size()) != 1)
        throw Error(Errc::internal, "libcrypto does not sign with an ed25519 key");
    signature.resize(size);
    return signature;
}

}  // namespace ov
