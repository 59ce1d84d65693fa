// The memory of one libssh2 session. libssh2 1.10 forgets the key pair of a key exchange that is broken off (libssh2_session_free
// leaves it), so whoever cancels connections for a long time would lose 64 bytes of secrets each time: what is left goes here.
#pragma once

#include <cstddef>

namespace ov {

/// Blocks as malloc gives them, known to their owner. Used by one thread at a time, as its session is.
class SshMemory {
public:
    SshMemory() = default;
    SshMemory(const SshMemory&) = delete;
    SshMemory& operator=(const SshMemory&) = delete;
    /// Overwrites and frees what was not given back.
    ~SshMemory();

    /// nullptr when there is no memory; resize() leaves the block as it is then.
    void* allocate(std::size_t size) noexcept;
    void* resize(void* block, std::size_t size) noexcept;
    void release(void* block) noexcept;
    /// Blocks that were not given back.
    std::size_t held() const noexcept { return held_; }

private:
    struct Header;
    void link(Header* header) noexcept;
    void unlink(Header* header) noexcept;

    Header* first_ = nullptr;
    std::size_t held_ = 0;
};

}  // namespace ov
