// The real layers, when they are there: beside the checkout, or where OV_SHARED says.
#include "support/corpus.hpp"

#include <doctest/doctest.h>

#include "ov/load.hpp"

TEST_CASE("every layer of the corpus is read without an error") {
    const auto root = ov::test::corpus();
    if (!root) return;
    const std::string layers = *root + "/layers";
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
