#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "ov/load.hpp"
#include "support/temp_tree.hpp"

using ov::test::TempTree;

namespace {

constexpr const char* header = "version: 2026.144.1443\n";

/// Messages of a load that must fail.
std::string load_errors(const TempTree& tree) {
    try {
        ov::load_project({tree.path(), tree.path() + "/host/deploy.yml"});
    } catch (const ov::SpecError& e) {
        std::string text;
        for (const ov::Diagnostic& finding : e.findings()) text += finding.str() + "\n";
        return text;
    }
    return "loaded";
}

}  // namespace

TEST_CASE("a project brings its layers, machines and deploys, the host's deploy.yml wins by field") {
    const TempTree tree({
        {"overthink.yml", std::string(header) + R"(
import: [vm.yml]
discover: {layer: [layers]}
deploy:
  web-1: {target: vm, vm: edge, add_layer: [web], env: [A=1], tag: [blue]}
)"},
        {"vm.yml", R"(
vm:
  edge:
    source: {kind: external, distro: debian:13}
    ssh: {host: edge.example.net, port: 2201, user: admin, identity: keys/id}
    tag: lab
)"},
        {"layers/web/layer.yml", "layer: {version: 2026.1.1, require: [base]}"},
        {"layers/base/layer.yml", "layer: {version: 2026.1.1}"},
        {"host/deploy.yml", "deploy: {web-1: {env: [B=2], disposable: false}}"},
    });
    const ov::Project project = ov::load_project({tree.path(), tree.path() + "/host/deploy.yml"});
    CHECK(project.layers.size() == 2);
    CHECK(project.layers.at("web").require.at(0).key == "base");
    const ov::VmEntity& edge = project.vms.at("edge");
    CHECK(edge.external());
    CHECK(edge.ssh.host == "edge.example.net");
    CHECK(edge.ssh.port == 2201);
    CHECK(edge.ssh.identity == tree.path() + "/keys/id");
    CHECK(edge.tags == std::vector<std::string>{"lab"});
    const ov::DeployNode& node = project.deploys.at("web-1");
    CHECK(node.add_layers == std::vector<std::string>{"web"});
    CHECK(node.env == std::vector<std::string>{"B=2"});
    CHECK(node.disposable == false);
    CHECK(node.where.file == tree.path() + "/overthink.yml");
}

TEST_CASE("all findings of all files come at once, with their places") {
    const TempTree tree({
        {"overthink.yml", std::string(header) + "import: [gone.yml]\ndiscover: {layer: [layers]}\n"},
        {"layers/a/layer.yml", "layer:\n  reboot: maybe\n  task:\n    - {cmd: [x]}\n"},
    });
    const std::string errors = load_errors(tree);
    CHECK(errors.find("overthink.yml:2:10: import cannot be read: " + tree.path() + "/gone.yml") != std::string::npos);
    CHECK(errors.find("a/layer.yml:2:11: layer.reboot: expected true or false, got 'maybe'") != std::string::npos);
    CHECK(errors.find("a/layer.yml:4:13: layer.task[0].cmd: expected a text, got list") != std::string::npos);
}

TEST_CASE("a directory without overthink.yml is no project, and says which one was meant") {
    const TempTree tree({{"other.yml", "x"}});
    CHECK_THROWS_WITH_AS(ov::load_project({tree.path(), {}}),
                         ("no project in " + tree.path() + ": overthink.yml is missing; -C names another directory").c_str(),
                         ov::Error);
}
