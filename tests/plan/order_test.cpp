// install-plan.md 8.
#include <doctest/doctest.h>

#include "ov/compile.hpp"
#include "ov/load.hpp"
#include "support/text_layer.hpp"

namespace {

ov::LayerMap map_of(const std::vector<std::pair<std::string, std::string>>& bodies) {
    ov::LayerMap layers;
    for (const auto& [name, body] : bodies) layers.emplace(name, ov::test::layer_of("layer: {" + body + "}", name));
    return layers;
}

std::string order(const ov::LayerMap& layers, std::vector<std::string> requests, const ov::OrderOptions& options = {}) {
    try {
        std::string text;
        for (const ov::Layer* layer : ov::order_layers(requests, layers, options))
            text += (text.empty() ? "" : " ") + layer->name;
        return text;
    } catch (const ov::Error& e) {
        return e.what();
    }
}

}  // namespace

TEST_CASE("install-plan 8 order of layers (W28, I9)") {
    struct Row {
        const char* rule;
        std::vector<std::pair<std::string, std::string>> layers;
        std::vector<std::string> requests;
        const char* result;
    };
    const Row rows[] = {
        {"names decide among equals, bytewise",
         {{"b", "env: {A: b}"}, {"a", "env: {A: b}"}, {"B", "env: {A: b}"}},
         {"b", "a", "B"},
         "B a b"},
        {"a dependency comes first whatever its name", {{"a", "require: [z]"}, {"z", ""}}, {"a"}, "z a"},
        {"each name once", {{"a", "require: [z]"}, {"b", "require: [z]"}, {"z", ""}}, {"a", "b", "a"}, "z a b"},
        {"a composite without content is not installed", {{"c", "layer: [x, y]"}, {"x", ""}, {"y", ""}}, {"c"}, "x y"},
        {"a composite with content comes after its members", {{"c", "layer: [x], env: {A: b}"}, {"x", ""}}, {"c"}, "x c"},
        {"a requirement on a composite waits for its members",
         {{"a", "require: [c]"}, {"c", "layer: [z]"}, {"z", ""}},
         {"a"},
         "z a"},
        {"composites in composites", {{"a", "require: [c]"}, {"c", "layer: [d]"}, {"d", "layer: [z]"}, {"z", ""}}, {"a"}, "z a"},
        {"requirements of a composite count", {{"c", "layer: [x], require: [r]"}, {"x", ""}, {"r", ""}}, {"c"}, "r x"},
        {"5 supervisord is left out, who requires it stays",
         {{"a", "require: [supervisord]"}, {"supervisord", "require: [p]"}, {"p", ""}},
         {"a"},
         "p a"},
        {"a cycle is told with its path",
         {{"a", "require: [b]"}, {"b", "require: [c]"}, {"c", "require: [a]"}},
         {"a"},
         "circular dependency: a -> b -> c -> a"},
        {"a cycle further down is told from where it begins",
         {{"r", "require: [a]"}, {"a", "require: [b]"}, {"b", "require: [a]"}},
         {"r"},
         "circular dependency: a -> b -> a"},
        {"a cycle of one", {{"a", "require: [a]"}}, {"a"}, "circular dependency: a -> a"},
        {"a circular composition", {{"a", "layer: [b]"}, {"b", "layer: [a]"}}, {"a"}, "circular layer composition: a -> b -> a"},
        {"an unknown request", {{"abc", ""}}, {"abd"}, "layer \"abd\" not found in the project; did you mean \"abc\"?"},
        {"an unknown requirement",
         {{"a", "require: [nothere]"}},
         {"a"},
         "a.yml:1:19: layer \"nothere\" not found, required by layer \"a\""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(order(map_of(row.layers), row.requests) == row.result);
    }
}

TEST_CASE("install-plan 8 provided layers are not entered, --no-deps adds nothing") {
    const auto layers = map_of({{"a", "require: [b]"}, {"b", "require: [missing]"}});
    ov::OrderOptions provided;
    provided.provided = {"b"};
    CHECK(order(layers, {"a"}, provided) == "a");
    ov::OrderOptions alone;
    alone.dependencies = false;
    CHECK(order(layers, {"b", "a"}, alone) == "b a");
}

TEST_CASE("install-plan 8 remote layers take part under their bare reference") {
    ov::LayerMap layers = map_of({{"a", "require: ['@github.com/acme/infra/layers/agents:v1']"}});
    ov::Layer remote = ov::test::layer_of("layer: {}", "agents");
    remote.key = "github.com/acme/infra/layers/agents";
    layers.emplace(remote.key, remote);
    CHECK(order(layers, {"a"}) == "agents a");
    CHECK(order(layers, {"@github.com/acme/infra/layers/agents"}) == "agents");
}

TEST_CASE("a chain of twenty thousand layers does not need the stack") {
    ov::LayerMap layers;
    constexpr int count = 20000;
    for (int i = 0; i < count; ++i) {
        ov::Layer layer;
        layer.name = layer.key = "l" + std::to_string(i);
        if (i + 1 < count) layer.require.push_back({"l" + std::to_string(i + 1), "l" + std::to_string(i + 1), {}, {}});
        layers.emplace(layer.key, std::move(layer));
    }
    const std::string request[] = {"l0"};
    const auto ordered = ov::order_layers(request, layers);
    REQUIRE(ordered.size() == count);
    CHECK(ordered.front()->name == "l19999");
    CHECK(ordered.back()->name == "l0");
}
