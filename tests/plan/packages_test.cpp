// layer-format.md 4 with the overlay of W1, W2, W3 and W4.
#include <doctest/doctest.h>

#include "ov/gates.hpp"
#include "ov/plan_output.hpp"
#include "support/compile_on.hpp"
#include "support/text_layer.hpp"

using ov::test::steps_of;

namespace {

std::string installed(const std::string& body, std::string_view tag) {
    const auto steps =
        steps_of<ov::SystemPackagesStep>(ov::compile(ov::test::layer_of("layer: {" + body + "}"), ov::test::target(tag)));
    std::string text;
    for (const ov::SystemPackagesStep& step : steps) {
        text += (text.empty() ? "" : "; ") + std::string(ov::to_string(step.phase)) + " " + step.format;
        for (const std::string& name : step.packages) text += " " + name;
        for (const std::string& option : step.options) text += " " + option;
    }
    return text.empty() ? "nothing" : text;
}

}  // namespace

TEST_CASE("layer-format 4.2 package sections") {
    struct Row {
        const char *rule, *body, *tag, *result;
    };
    const Row rows[] = {
        {"4.2.1 top-level names, then the block's",
         "package: [rsync], distro: {fedora: {package: [buildah], option: [-x]}, debian: {package: [buildah]}}", "fedora:43",
         "install rpm rsync buildah -x"},
        {"4.2.1 the example on Debian",
         "package: [rsync], distro: {fedora: {package: [buildah], option: [-x]}, debian: {package: [buildah]}}", "debian:13",
         "install deb rsync buildah"},
        {"4.2.5 a distro that is not listed gets nothing", "package: [rsync], distro: {fedora: {package: [buildah]}}", "arch",
         "nothing"},
        {"4.2.1 names already present are dropped", "package: [a, b], distro: {arch: {package: [b, c, a]}}", "arch",
         "install pac a b c"},
        {"4.2.4 without distro the top-level names are for all", "package: [a]", "arch", "install pac a"},
        {"4.2.4 an empty distro is none", "package: [a], distro: {}", "debian:13", "install deb a"},
        {"4.3 an unknown format installs nothing", "package: [a]", "alpine:3", "nothing"},
        {"W1 a versioned list replaces the bare one, top-level stays",
         "package: [t], distro: {debian: {package: [b]}, debian-13: {package: [v]}}", "debian:13", "install deb t v"},
        {"W1 a versioned block without packages falls back to the bare list",
         "package: [t], distro: {debian: {package: [b]}, debian-13: {option: [-o]}}", "debian:13", "install deb t b -o"},
        {"W1 other keys from the versioned block if set, else bare",
         "distro: {debian: {package: [b], option: [-b]}, debian-13: {package: [v]}}", "debian:13", "install deb v -b"},
        {"W1 an empty option list is set", "distro: {debian: {package: [b], option: [-b]}, debian-13: {option: []}}", "debian:13",
         "install deb b"},
        {"W1 another release of a named distro", "package: [t], distro: {debian-13: {package: [v]}}", "debian:12", "nothing"},
        {"W1 a null block equals an empty one", "package: [t], distro: {debian: }", "debian:13", "install deb t"},
        {"W1 ubuntu falls back to debian", "distro: {debian: {package: [d]}}", "ubuntu:24.04", "install deb d"},
        {"W1 debian does not fall back to ubuntu", "distro: {ubuntu: {package: [u]}}", "debian:13", "nothing"},
        {"W2 debian and ubuntu have lists of their own", "distro: {ubuntu: {package: [u]}, debian: {package: [d]}}", "debian:13",
         "install deb d"},
        {"W2 the same seen from ubuntu", "distro: {debian: {package: [d]}, ubuntu: {package: [u]}}", "ubuntu:24.04",
         "install deb u"},
        {"4.1 ubuntu-24.04 is versioned", "distro: {ubuntu: {package: [u]}, ubuntu-24.04: {package: [v]}}", "ubuntu:24.04",
         "install deb v"},
        {"ID_LIKE: rocky takes fedora's block", "distro: {fedora: {package: [f]}}", "rocky:9", "install rpm f"},
        {"2.4 a stray section applies to its tag", "package: [t], cachyos: {package: [c]}, distro: {arch: {package: [a]}}",
         "cachyos", "install pac t c"},
        {"2.4 a stray section does not reach others", "cachyos: {package: [c]}, distro: {arch: {package: [a]}}", "arch",
         "install pac a"},
        {"empty names are dropped", "package: ['', a]", "arch", "install pac a"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(installed(row.body, row.tag) == row.result);
    }
}

TEST_CASE("layer-format 18 W3, I16 repositories become a gated prepare step, and cleanup where something was switched on") {
    const ov::Layer layer = ov::test::layer_of(R"(
layer:
  distro:
    fedora:
      package: [thing]
      repo: [{name: vendor, url: https://r.example/x86_64, gpgkey: https://r.example/key, gpgcheck: false}, {rpm: https://r.example/release.rpm}]
      copr: [owner/project]
      module: [nodejs:20]
      exclude: [old-thing]
)");
    const ov::InstallPlan plan = ov::compile(layer, ov::test::target("fedora:43"));
    const auto steps = steps_of<ov::SystemPackagesStep>(plan);
    REQUIRE(steps.size() == 3);
    CHECK(steps[0].phase == ov::Phase::prepare);
    CHECK(steps[0].repos[0].at("gpgcheck") == "false");
    CHECK(steps[0].copr == std::vector<std::string>{"owner/project"});
    CHECK(steps[0].modules == std::vector<std::string>{"nodejs:20"});
    CHECK(steps[1].exclude == std::vector<std::string>{"old-thing"});
    CHECK(steps[1].enable_repos == std::vector<std::string>{"vendor"});
    CHECK(steps[2].phase == ov::Phase::cleanup);
    CHECK(plan.steps[0].gate() == ov::Gate::allow_repo_changes);
    CHECK(plan.steps[1].gate() == ov::Gate::none);
    CHECK(plan.steps[2].gate() == ov::Gate::none);
    const auto undo = ov::reverse_ops(plan.steps[0]);
    REQUIRE(undo.size() == 2);
    CHECK(undo[0].kind == "remove-repo-file");
    CHECK(undo[0].targets == std::vector<std::string>{"/etc/yum.repos.d/vendor.repo"});
    CHECK(undo[1].kind == "copr-disable");
    CHECK(ov::reverse_ops(plan.steps[2]).empty());
}

TEST_CASE("layer-format 4.4 repository entries that cannot be set up are findings") {
    struct Row {
        const char *rule, *repo, *tag, *finding;
    };
    const Row rows[] = {
        {"69 ppa is for Ubuntu", "{ppa: deadsnakes/ppa}", "debian:13", "a ppa works on Ubuntu only, not on debian:13"},
        {"69 ppa on Ubuntu", "{ppa: deadsnakes/ppa}", "ubuntu:24.04", "compiled"},
        {"deb needs a key", "{name: n, url: u}", "debian:13", "a deb repository needs key"},
        {"deb needs a name", "{url: u, key: k}", "debian:13", "a deb repository needs name"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const std::string text = "layer: {distro: {debian: {package: [a], repo: [" + std::string(row.repo) + "]}}}";
        const std::string errors = ov::test::compile_errors(ov::test::layer_of(text), row.tag);
        CAPTURE(errors);
        CHECK(errors.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("layer-format 9 builders: triggers, order and images; W4 aur only where pacman is") {
    ov::Layer layer = ov::test::layer_of("layer: {distro: {arch: {aur: {package: [x-bin], option: [--a], replace: [x]}}}}");
    layer.manifests = {"Cargo.toml", "package.json", "pixi.toml"};
    ov::CompileContext context = ov::test::target("arch");
    context.builder_images = {{"npm", "localhost/npm:1"}};
    const auto steps = steps_of<ov::BuilderStep>(ov::compile(layer, context));
    REQUIRE(steps.size() == 4);
    CHECK(steps[0].builder == "aur");
    CHECK(steps[0].replaces == std::vector<std::string>{"x"});
    CHECK(steps[0].options == std::vector<std::string>{"--a"});
    CHECK(steps[1].builder == "cargo");
    CHECK(steps[2].builder == "npm");
    CHECK(steps[2].image == "localhost/npm:1");
    CHECK(steps[3].builder == "pixi");
    CHECK(steps[3].env_name == "default");
    context.builder_image = "localhost/all:2";
    CHECK(steps_of<ov::BuilderStep>(ov::compile(layer, context))[2].image == "localhost/all:2");
    CHECK(steps_of<ov::BuilderStep>(ov::compile(layer, ov::test::target("fedora:43"))).size() == 3);
    for (const char* manifest : {"pyproject.toml", "environment.yml"}) {
        layer.manifests = {manifest};
        CHECK(steps_of<ov::BuilderStep>(ov::compile(layer, ov::test::target("debian:13")))[0].builder == "pixi");
    }
}

TEST_CASE("decision 57: a layer with packages for others only is told apart from one without any") {
    struct Row {
        const char *body, *tag;
        bool lacks;
    };
    const Row rows[] = {{"distro: {fedora: {package: [a]}}", "arch", true},
                        {"distro: {fedora: {package: [a]}}", "fedora:43", false},
                        {"package: [a]", "alpine:3", true},
                        {"package: [a]", "arch", false},
                        {"env: {A: b}", "arch", false},
                        {"distro: {arch: {aur: {package: [x]}}}, package: []", "arch", false}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.body));
        CHECK(ov::lacks_packages_for(ov::test::layer_of("layer: {" + std::string(row.body) + "}"),
                                     ov::distro_from_tag(row.tag)) == row.lacks);
    }
}
