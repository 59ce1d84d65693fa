#include "exec/ssh_key.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

std::string slurp(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What ssh-keygen writes with these arguments: the private and the public file.
struct KeyPair {
    explicit KeyPair(const std::string& arguments) {
        std::string pattern = "/tmp/ov-test-XXXXXX";
        const std::string folder = ::mkdtemp(pattern.data());
        made = std::system(("ssh-keygen -q -C 'a comment' -f " + folder + "/key " + arguments + " >/dev/null 2>&1").c_str()) == 0;
        secret = slurp(folder + "/key");
        open = slurp(folder + "/key.pub");
        std::filesystem::remove_all(folder);
    }
    bool made = false;
    std::string secret, open;
};

std::string base64(const std::string& bytes) {
    std::string text(4 * (bytes.size() + 2) / 3 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    return text.substr(0, static_cast<std::size_t>(size));
}

}  // namespace

TEST_CASE("an ed25519 key without a passphrase is read and signs; anything else is left to libssh2") {
    const KeyPair pair("-t ed25519 -N ''");
    if (!pair.made) {
        MESSAGE("skipped: ssh-keygen is missing");
        return;
    }
    const auto key = ov::SshKey::parse(pair.secret);
    REQUIRE(key);
    CHECK(pair.open.starts_with("ssh-ed25519 " + base64(key->blob()) + " "));
    const std::string signature = key->sign("data");
    EVP_PKEY* open = EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(key->blob().data()) + key->blob().size() - 32, 32);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    REQUIRE(EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, open) == 1);
    CHECK(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                           reinterpret_cast<const unsigned char*>("data"), 4) == 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(open);

    for (const char* arguments :
         {"-t ed25519 -N secret", "-t ecdsa -N ''", "-t rsa -b 2048 -N ''", "-t ed25519 -m PEM -N secret"}) {
        CAPTURE(arguments);
        const KeyPair other(arguments);
        REQUIRE(other.made);
        CHECK_FALSE(ov::SshKey::parse(other.secret));
    }
    for (std::size_t cut = 0; cut < pair.secret.size(); cut += 7) {
        CAPTURE(cut);
        std::string damaged = pair.secret;
        damaged.erase(cut, 4);
        const auto read = ov::SshKey::parse(damaged);  // bytes of the comment may be missed, those of the key may not
        CHECK((!read || read->blob() == key->blob()));
    }
}
