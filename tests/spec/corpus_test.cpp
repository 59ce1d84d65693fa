// The real layers, when they are there: beside the checkout, or where OV_SHARED says.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "ov/load.hpp"

namespace {

std::string corpus() {
    const char* shared = std::getenv("OV_SHARED");
    const char* data = std::getenv("OV_TEST_DATA");
    const std::string root = shared != nullptr ? shared : data != nullptr ? std::string(data) + "/../../shared" : "../shared";
    return root + "/corpus";
}

}  // namespace

TEST_CASE("every layer of the corpus is read without an error") {
    const std::string layers = corpus() + "/layers";
    if (!std::filesystem::is_directory(layers)) {
        MESSAGE("skipped: no corpus at " << layers << " (set OV_SHARED)");
        return;
    }
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(layers)) {
        std::vector<ov::Diagnostic> warnings;
        CAPTURE(entry.path().string());
        const ov::Layer layer = ov::load_layer(entry.path().string(), warnings);
        CHECK_FALSE(layer.version.empty());
        ++count;
    }
    CHECK(count == 153);
}
