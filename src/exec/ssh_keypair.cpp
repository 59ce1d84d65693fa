#include "exec/ssh_keypair.hpp"

#include <libssh2.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <memory>

#include "base/base64.hpp"
#include "exec/ssh_key.hpp"
#include "ov/error.hpp"

namespace ov {

namespace {

constexpr std::string_view key_type = "ssh-ed25519";

std::string number(std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> static_cast<unsigned>(shift) & 255U);
    return text;
}

std::string field(std::string_view text) {
    return number(static_cast<std::uint32_t>(text.size())) + std::string(text);
}

struct RawKey {
    std::string seed, point;
};

RawKey new_key() {
    std::array<unsigned char, 32> seed{}, point{};
    const auto fail = [] { throw Error(Errc::internal, "libcrypto made no ed25519 key"); };
    if (RAND_bytes(seed.data(), static_cast<int>(seed.size())) != 1) fail();
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()), &EVP_PKEY_free);
    std::size_t size = point.size();
    if (!key || EVP_PKEY_get_raw_public_key(key.get(), point.data(), &size) != 1) fail();
    return {std::string(seed.begin(), seed.end()), std::string(point.begin(), point.end())};
}

std::string wrapped(const std::string& text) {
    std::string lines;
    for (std::size_t at = 0; at < text.size(); at += 70) lines += text.substr(at, 70) + "\n";
    return lines;
}

}  // namespace

SshKeypair make_ed25519_keypair() {
    const RawKey key = new_key();
    const std::string blob = field(key_type) + field(key.point);
    std::array<unsigned char, 4> check{};
    if (RAND_bytes(check.data(), static_cast<int>(check.size())) != 1) throw Error(Errc::internal, "libcrypto has no randomness");
    // The two equal numbers tell a reader that it decrypted the section rightly; here nothing is encrypted.
    const std::string twice(check.begin(), check.end());
    std::string secret = twice + twice + field(key_type) + field(key.point) + field(key.seed + key.point) + field("");
    for (char pad = 1; secret.size() % 8 != 0; ++pad) secret += pad;
    using namespace std::string_literals;
    const std::string whole =
        "openssh-key-v1\0"s + field("none") + field("none") + field("") + number(1) + field(blob) + field(secret);
    return {"-----BEGIN OPENSSH PRIVATE KEY-----\n" + wrapped(base64(whole)) + "-----END OPENSSH PRIVATE KEY-----\n",
            std::string(key_type) + " " + base64(blob)};
}

bool rsa_keys_work() noexcept {
    return libssh2_version(0x010b00) != nullptr;
}

std::optional<std::string> public_line_of(std::string_view private_file) {
    const auto key = SshKey::parse(private_file);
    if (!key) return std::nullopt;
    return std::string(key_type) + " " + base64(key->blob());
}

}  // namespace ov
