// Files below tests/golden that a text is compared with.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace ov::test {

/// Compares with tests/golden/`name`, or rewrites it (OV_UPDATE_GOLDEN=1).
inline void check_golden(const std::string& name, const std::string& text) {
    const char* data = std::getenv("OV_TEST_DATA");
    const std::filesystem::path path = std::string(data != nullptr ? data : "tests") + "/golden/" + name;
    if (std::getenv("OV_UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string expected{std::istreambuf_iterator<char>(file), {}};
    CHECK(text == expected);
}

}  // namespace ov::test
