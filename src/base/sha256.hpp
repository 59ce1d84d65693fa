// SHA-256, whole or in pieces.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace ov {

/// Lower-case hex digest of `bytes`.
std::string sha256_hex(std::string_view bytes);

/// For streams: feed, then read the digest once.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(std::string_view bytes);
    std::string hex();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace ov
