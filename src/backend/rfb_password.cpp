#include "backend/rfb_password.hpp"

// VNC knows nothing newer than DES, and OpenSSL has it without its legacy provider only by these names.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/des.h>

#include <algorithm>
#include <cstring>

namespace ov {

std::string rfb_response(std::string_view challenge, std::string_view password) {
    DES_cblock key{};
    for (std::size_t i = 0; i < std::min<std::size_t>(password.size(), sizeof key); ++i) {
        // The first implementation took the bits of each byte in the wrong order; all others follow it.
        auto byte = static_cast<unsigned char>(password[i]);
        for (int bit = 0; bit < 8; ++bit, byte = static_cast<unsigned char>(byte >> 1U))
            key[i] = static_cast<unsigned char>(key[i] << 1U | (byte & 1U));
    }
    DES_key_schedule schedule;
    DES_set_key_unchecked(&key, &schedule);
    std::string response(challenge);
    for (std::size_t at = 0; at + sizeof key <= response.size(); at += sizeof key) {
        DES_cblock in, out;
        std::memcpy(in, challenge.data() + at, sizeof in);
        DES_ecb_encrypt(&in, &out, &schedule, DES_ENCRYPT);
        std::memcpy(response.data() + at, out, sizeof out);
    }
    return response;
}

}  // namespace ov
