// Which children of a deploy are pods, and what they are given.
#include "lifecycle/pods.hpp"

#include <doctest/doctest.h>

#include "ov/error.hpp"
#include "ov/load.hpp"
#include "support/temp_tree.hpp"

namespace {

ov::DeployNode node_of(const std::string& nested) {
    const ov::test::TempTree tree;
    tree.write("overthink.yml",
               "version: 2026.144.1443\nvm:\n  lab: {source: {kind: external}, ssh: {host: 10.0.0.1}}\n"
               "deploy:\n  lab:\n    target: vm\n    vm: lab\n    nested:\n" +
                   nested);
    return ov::load_project({tree.path(), std::nullopt}).deploys.at("lab");
}

}  // namespace

TEST_CASE("children with an image whose target is a pod are brought up, sorted by key (image-transfer.md 2)") {
    const auto children =
        ov::pod_children(node_of("      web: {target: pod, image: site, env: [A=1], port: [\"9092:8080\", \"0.0.0.0:80:80\"]}\n"
                                 "      box: {target: container, image: box}\n"
                                 "      bare: {image: notes}\n"
                                 "      tv: {target: android, image: tv}\n"));
    REQUIRE(children.size() == 3);
    CHECK(children[0].key == "bare");
    CHECK(children[1].key == "box");
    CHECK(children[2].key == "web");
    CHECK(children[2].image == "site");
    CHECK(children[2].env == std::vector<std::string>{"A=1"});
    CHECK(children[2].ports == std::vector<std::string>{"9092:8080", "0.0.0.0:80:80"});
}

TEST_CASE("a key that can name no container is an error that names it") {
    std::string problem;
    try {
        ov::pod_children(node_of("      Web_: {target: pod, image: site}\n"));
    } catch (const ov::Error& error) {
        problem = error.what();
    }
    CHECK(problem.find("nested pod Web_:") == 0);
}
