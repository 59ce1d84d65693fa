#include <doctest/doctest.h>

#include "support/compile_on.hpp"
#include "support/text_layer.hpp"

TEST_CASE("layer-format 18 W16 a required variable comes from the deploy's env, the layer's own env or its default") {
    const ov::Layer layer = ov::test::layer_of(R"(
layer:
  env: {OWN: x}
  env_require:
    - {name: GIVEN, description: d}
    - {name: OWN, description: d}
    - {name: FALLBACK, description: d, default: y}
    - {name: LACKING, description: where to listen}
)");
    const ov::Layer* layers[] = {&layer};
    const std::vector<std::string> env{"GIVEN=1", "LACKING_TOO=2"};
    const auto missing = ov::missing_environment(layers, env);
    REQUIRE(missing.size() == 1);
    CHECK(missing[0].layer == "web");
    CHECK(missing[0].name == "LACKING");
    CHECK(missing[0].description == "where to listen");
}
