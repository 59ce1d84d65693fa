#include "deploy/run_identity.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "deploy/clock.hpp"
#include "ov/error.hpp"

namespace ov {

std::string random_run_dir() {
    std::array<unsigned char, 6> bytes{};
    if (RAND_bytes(bytes.data(), bytes.size()) != 1) throw Error(Errc::internal, "libcrypto gives no random bytes");
    std::string name = "/tmp/ov.";
    for (const unsigned char byte : bytes) name += fmt::format("{:02x}", byte);
    return name;
}

std::string lock_owner(std::string_view key) {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    std::string boot_id;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id;
    return fmt::format("host={} pid={} key={} boot_id={} time={}", host.data(), ::getpid(), key, boot_id, utc_now());
}

}  // namespace ov
