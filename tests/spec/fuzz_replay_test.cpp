// The stored inputs of the fuzzers, and everything that once broke them.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/targets.hpp"

namespace {

template <class Target>
std::size_t replay(const char* folder, Target target) {
    const char* data = std::getenv("OV_TEST_DATA");
    const std::filesystem::path root = std::filesystem::path(data != nullptr ? data : "tests") / "fuzz" / "corpus" / folder;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        CAPTURE(entry.path().string());
        CHECK_NOTHROW(target(text));
        ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("the stored inputs of the layer fuzzer pass") {
    CHECK(replay("layer", ov::fuzz::layer) >= 9);
}
TEST_CASE("the stored inputs of the project fuzzer pass") {
    CHECK(replay("project", ov::fuzz::project) >= 2);
}
TEST_CASE("the stored inputs of the VM fuzzer pass") {
    CHECK(replay("vm", ov::fuzz::vm) >= 30);
}
