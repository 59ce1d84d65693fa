#include "exec/ssh_memory.hpp"

#include <openssl/crypto.h>

#include <cstdlib>

namespace ov {

struct alignas(std::max_align_t) SshMemory::Header {
    Header *before, *after;
    std::size_t size;
};

SshMemory::~SshMemory() {
    while (first_ != nullptr) {
        Header* header = first_;
        unlink(header);
        OPENSSL_cleanse(header + 1, header->size);
        std::free(header);
    }
}

void* SshMemory::allocate(std::size_t size) noexcept {
    auto* header = static_cast<Header*>(std::malloc(sizeof(Header) + size));
    if (header == nullptr) return nullptr;
    header->size = size;
    link(header);
    return header + 1;
}

void* SshMemory::resize(void* block, std::size_t size) noexcept {
    if (block == nullptr) return allocate(size);
    Header* header = static_cast<Header*>(block) - 1;
    unlink(header);
    auto* larger = static_cast<Header*>(std::realloc(header, sizeof(Header) + size));
    if (larger == nullptr) {
        link(header);
        return nullptr;
    }
    larger->size = size;
    link(larger);
    return larger + 1;
}

void SshMemory::release(void* block) noexcept {
    if (block == nullptr) return;
    Header* header = static_cast<Header*>(block) - 1;
    unlink(header);
    std::free(header);
}

void SshMemory::link(Header* header) noexcept {
    header->before = nullptr;
    header->after = first_;
    if (first_ != nullptr) first_->before = header;
    first_ = header;
    ++held_;
}

void SshMemory::unlink(Header* header) noexcept {
    (header->before != nullptr ? header->before->after : first_) = header->after;
    if (header->after != nullptr) header->after->before = header->before;
    --held_;
}

}  // namespace ov
