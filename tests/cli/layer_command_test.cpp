#include "cli/layer_command.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "ov/error.hpp"
#include "support/temp_tree.hpp"

using ov::test::TempTree;

namespace {

struct Run {
    int status = 0;
    std::string out, err;
};

Run ov_layer(const TempTree& tree, std::vector<std::string> words) {
    std::ostringstream out, err;
    Run run;
    ov::cli::AppContext context{tree.path(), out, err, 0, {}};
    CLI::App app("ov");
    ov::cli::add_layer_commands(app, context);
    std::reverse(words.begin(), words.end());  // CLI11 takes the words from the back
    words.push_back("layer");
    app.parse(words);
    context.action();
    run.status = context.exit_status;
    run.out = out.str();
    run.err = err.str();
    return run;
}

TempTree project(TempTree::Files more = {}) {
    TempTree tree(
        {{"overthink.yml", "version: 2026.144.1443\ndiscover: {layer: [layers]}\n"},
         {"layers/base/layer.yml", "layer: {version: 2026.1.1, task: [{cmd: 'true'}]}"},
         {"layers/web/layer.yml",
          "layer: {version: 2026.1.2, require: [base], port: [80], package: [nginx], task: [{mkdir: ~/site, user: '${USER}'}], "
          "secret_require: [{name: TOKEN, description: t}]}"}});
    for (const auto& [file, content] : more) tree.write(file, content);
    return tree;
}

}  // namespace

TEST_CASE("install-plan 12 layer plan prints the closure in install order, one line a step") {
    const Run run = ov_layer(project(), {"plan", "web", "--distro", "debian:13", "--explain"});
    CHECK(run.out == R"(Plan: layer=base image=vm-adhoc distro=debian:13 steps=1
  Task            system       task 0: cmd  [allow-root-tasks]  [no undo]

Plan: layer=web image=vm-adhoc distro=debian:13 steps=2
  SystemPackages  system       deb: 1 package (install)
  Task            user         task 0: mkdir {{.Home}}/site
  without effect on a machine: port

)");
    CHECK(run.err.empty());
}

TEST_CASE(
    "install-plan 12 layer plan --no-deps leaves the requirements out, as JSON one array with scripts and reverse operations") {
    const Run run =
        ov_layer(project(), {"plan", "web", "--distro", "fedora:43", "--no-deps", "--format", "json", "--user", "cloud"});
    const auto plans = nlohmann::json::parse(run.out);
    REQUIRE(plans.size() == 1);
    CHECK(plans[0]["Layer"] == "web");
    CHECK(plans[0]["DeployID"].get<std::string>().size() == 16);
    const auto& steps = plans[0]["Steps"];
    REQUIRE(steps.size() == 2);
    CHECK(steps[0]["Kind"] == "SystemPackages");
    CHECK(steps[0]["Reverse"][0]["kind"] == "package-remove");
    CHECK(steps[0]["Scripts"][0]["run_as"] == "root");
    CHECK(steps[1]["Scripts"][0]["run_as"] == "user");
    CHECK(steps[1]["Scripts"][0]["text"].get<std::string>().find("/home/cloud/site") != std::string::npos);
    CHECK(steps[1]["Path"] == "{{.Home}}/site");
}

TEST_CASE("layer plan names the missing layer, who wants it and what may have been meant") {
    const TempTree tree = project({{"layers/lost/layer.yml", "layer: {version: 2026.1.1, require: [bsae]}"}});
    CHECK_THROWS_WITH_AS(
        ov_layer(tree, {"plan", "lost", "--distro", "arch"}),
        (tree.path() +
         "/layers/lost/layer.yml:1:38: layer \"bsae\" not found, required by layer \"lost\"; did you mean \"base\"?")
            .c_str(),
        ov::Error);
    CHECK(ov_layer(tree, {"plan", "lost", "--distro", "arch", "--no-deps"}).out.starts_with("Plan: layer=lost"));
}

TEST_CASE("layer plan takes a directory") {
    const TempTree tree = project({{"elsewhere/extra/layer.yml", "layer: {version: 2026.1.1, require: [base], env: {A: b}}"}});
    const Run run = ov_layer(tree, {"plan", tree.path() + "/elsewhere/extra", "--distro", "arch"});
    CHECK(run.out.find("Plan: layer=extra") != std::string::npos);
    CHECK(run.out.find("Plan: layer=base") != std::string::npos);
}

TEST_CASE("decision 57: layer plan warns about a layer without packages for the distribution") {
    const TempTree tree = project({{"layers/f/layer.yml", "layer: {version: 2026.1.1, distro: {fedora: {package: [x]}}}"}});
    CHECK(ov_layer(tree, {"plan", "f", "--distro", "arch"}).err == "ov: warning: layer f has no packages for arch\n");
}

TEST_CASE("layer list prints name, version and path") {
    const TempTree tree = project();
    CHECK(ov_layer(tree, {"list"}).out == "NAME  VERSION         PATH\nbase  2026.1.1        " + tree.path() +
                                              "/layers/base\nweb   2026.1.2        " + tree.path() + "/layers/web\n");
}

TEST_CASE("layer validate is silent about good layers and counts the findings of bad ones") {
    CHECK(ov_layer(project(), {"validate"}).status == 0);
    const TempTree tree = project({{"layers/bad/layer.yml", "layer:\n  requires: [x]\n  task:\n    - {mkdir: rel}\n    - {}\n"}});
    const Run run = ov_layer(tree, {"validate"});
    CHECK(run.status == 1);
    CHECK(run.err == "ov: error: 3 findings\n");
    CHECK(run.out.find("bad/layer.yml:2:3: warning: layer.requires: unknown key, ignored; did you mean \"require\"?") !=
          std::string::npos);
    CHECK(run.out.find("bad/layer.yml:4:7: layer.task[0].mkdir: layer bad: expected an absolute path") != std::string::npos);
    CHECK(run.out.find("version is missing") != std::string::npos);
}
