#include "lifecycle/instances.hpp"

#include <doctest/doctest.h>

#include "model/yaml_writer.hpp"

using namespace ov;

namespace {

DeployNode node_of(const std::string& key, const std::string& vm, std::vector<std::string> layers, bool authored = true) {
    DeployNode node;
    node.key = key;
    node.target = "vm";
    node.vm = vm;
    node.add_layers = layers;
    std::vector<std::pair<std::string, YamlPtr>> body{{"target", yaml_text("vm")}, {"vm", yaml_text(vm)}};
    if (authored) body.emplace_back("add_layer", yaml_list(layers));
    if (!authored) {
        body.emplace_back("vm_state", yaml_map({{"instance_id", yaml_text("i-" + key)}}));
        node.vm_state.emplace().instance_id = "i-" + key;
    }
    node.body = yaml_map(std::move(body));
    return node;
}

Project project_with(std::vector<DeployNode> nodes) {
    Project project;
    project.vms["web"].name = "web";
    project.vms["web"].source_kind = "cloud_image";
    project.vms["rack"].name = "rack";
    project.vms["rack"].source_kind = "external";
    for (DeployNode& node : nodes) {
        const std::string key = node.key;
        project.deploys[key] = std::move(node);
    }
    return project;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("what an instance inherits (decisions 59)") {
    struct Row {
        const char* name;
        std::vector<DeployNode> nodes;
        const char* from;
        Words layers;
    };
    const Row rows[] = {
        {"no deploy at all", {}, "", {}},
        {"the entity's own node", {node_of("vm:web", "web", {"a"}), node_of("lab", "web", {"b"})}, "", {"a"}},
        {"the only node of the entity", {node_of("lab", "web", {"b"})}, "", {"b"}},
        {"state of the entity's own machine is no deploy",
         {node_of("vm:web", "web", {}, false), node_of("lab", "web", {"b"})},
         "",
         {"b"}},
        {"--from", {node_of("lab", "web", {"b"}), node_of("prod", "web", {"c"})}, "prod", {"c"}},
        {"an instance's own node replaces what it sets",
         {node_of("lab", "web", {"b"}), node_of("vm:web/1", "web", {"d"})},
         "",
         {"d"}},
        {"state of the instance changes nothing",
         {node_of("lab", "web", {"b"}), node_of("vm:web/1", "web", {}, false)},
         "",
         {"b"}},
        {"another instance's node is nobody's template", {node_of("web/9", "web", {"x"})}, "", {}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const auto targets = instance_targets(project_with(row.nodes), "web", 2, row.from);
        REQUIRE(targets.size() == 2);
        CHECK(targets[0].key == "vm:web/1");
        CHECK(targets[1].machine.domain() == "ov-web-2");
        CHECK(targets[0].node.add_layers == row.layers);
        CHECK(targets[0].node.vm == "web");
        CHECK((!targets[0].node.vm_state || targets[0].node.vm_state->instance_id == "i-vm:web/1"));
    }
}

TEST_CASE("what cannot be brought up is said") {
    const auto error_of = [](std::vector<DeployNode> nodes, const char* entity, const char* from) -> std::string {
        try {
            instance_targets(project_with(std::move(nodes)), entity, 1, from);
        } catch (const Error& error) {
            return error.what();
        }
        return {};
    };
    CHECK(error_of({}, "wbe", "").find("defined: rack, web") != std::string::npos);
    CHECK(error_of({}, "rack", "").find("external") != std::string::npos);
    CHECK(error_of({node_of("lab", "web", {}), node_of("prod", "web", {})}, "web", "").find("lab, prod") != std::string::npos);
    CHECK(error_of({}, "web", "nowhere").find("--from nowhere") != std::string::npos);
}

TEST_CASE("the instances that this host knows come by number") {
    const auto targets =
        known_instances(project_with({node_of("vm:web/10", "web", {}, false), node_of("vm:web/2", "web", {}, false),
                                      node_of("vm:web/x", "web", {}, false), node_of("vm:web", "web", {}, false),
                                      node_of("web/3", "web", {"a"})}),
                        "web");
    Words keys;
    for (const DeployTarget& target : targets) keys.push_back(target.key);
    CHECK(keys == Words{"vm:web/2", "vm:web/10", "vm:web/x"});
}
