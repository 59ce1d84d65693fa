#include "exec/ssh_memory.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <vector>

TEST_CASE("the memory of a session: blocks keep their bytes over growth, in any order of release, and what is left is freed") {
    ov::SshMemory memory;
    std::vector<char*> blocks;
    for (std::size_t size = 0; size < 40; ++size) {
        auto* block = static_cast<char*>(memory.allocate(size));
        REQUIRE(block != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t) == 0);
        std::memset(block, static_cast<int>(size), size);
        blocks.push_back(block);
    }
    for (std::size_t size = 0; size < 40; size += 3) blocks[size] = static_cast<char*>(memory.resize(blocks[size], size + 5000));
    CHECK(memory.held() == 40);
    for (std::size_t size = 0; size < 40; ++size)
        for (std::size_t i = 0; i < size; ++i) REQUIRE(blocks[size][i] == static_cast<char>(size));
    for (const std::size_t i : {39, 0, 20, 21, 19}) memory.release(blocks[i]);
    memory.release(nullptr);
    CHECK(memory.held() == 35);
    CHECK(memory.resize(nullptr, 8) != nullptr);
    CHECK(memory.held() == 36);  // 36 blocks go with it: the leak checker of a sanitized build sees those that do not
}
