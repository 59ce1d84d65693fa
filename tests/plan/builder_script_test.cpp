#include "plan/builder_script.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdlib>

#include "support/temp_tree.hpp"

using namespace ov;

namespace {

/// The script of a container in a bash of this machine: /layer is a folder of the tree, programs are fakes that note their words.
struct Container {
    test::TempTree tree;
    int status = 0;
    std::string said;

    explicit Container(std::initializer_list<std::pair<std::string, std::string>> layer) {
        for (const auto& [name, text] : layer) tree.write("layer/" + name, text);
        fake("pixi", "mkdir -p .pixi/envs/default/bin; echo made > .pixi/envs/default/bin/tool");
        fake("cargo", "mkdir -p \"$CARGO_HOME/bin\"; test -d \"$CARGO_TARGET_DIR\"");
        fake("npm", "mkdir -p \"$NPM_CONFIG_PREFIX/bin\"");
        fake("node", "cat package.json");
        tree.write("home/.keep", "");
    }

    void fake(const std::string& name, const std::string& text) {
        tree.write("bin/" + name, fmt::format("#!/bin/sh\necho \"{} $*\" >> {}\n[ ! -f pixi.toml ] || cat pixi.toml > {}\n{}\n",
                                              name, tree.path("said"), tree.path("manifest"), text));
        std::filesystem::permissions(tree.path("bin/" + name), std::filesystem::perms::all);
    }

    void run(const std::string& builder) {
        BuilderStep step;
        step.builder = builder;
        std::string script = builder_container_script(step);
        for (std::size_t at = 0; (at = script.find("/layer", at)) != std::string::npos; at += tree.path("layer").size())
            script.replace(at, 6, tree.path("layer"));
        tree.write("script", script);
        std::string command = "env -i PATH=" + tree.path("bin") + ":/usr/bin:/bin";
        for (const std::string& line : builder_environment(tree.path("home"))) command += " '" + line + "'";
        command += fmt::format(" bash -s < {0}/script >> {0}/said 2>&1", tree.path());
        status = WEXITSTATUS(std::system(command.c_str()));
        said = tree.read("said");
        for (std::size_t at = 0; (at = said.find(tree.path())) != std::string::npos;) said.replace(at, tree.path().size(), "");
    }
    bool has(const std::string& file) const { return std::filesystem::exists(tree.path("home/" + file)); }
};

}  // namespace

TEST_CASE(
    "builder pixi: the first manifest of three, its lock, its own build; the environment stays and the manifest goes "
    "(deploy-engine 11)") {
    struct Row {
        const char* name;
        std::initializer_list<std::pair<std::string, std::string>> layer;
        const char* said;
    };
    const Row rows[] = {
        {"a manifest", {{"pixi.toml", "[workspace]\n"}, {"pyproject.toml", ""}}, "pixi install\n"},
        {"with a lock", {{"pixi.toml", ""}, {"pixi.lock", ""}}, "pixi install --frozen\n"},
        {"of a Python project",
         {{"pyproject.toml", ""}, {"environment.yml", ""}},
         "pixi install --manifest-path pyproject.toml\n"},
        {"of conda", {{"environment.yml", ""}}, "pixi project import environment.yml\npixi install\n"},
        {"with a build of its own",
         {{"pixi.toml", ""}, {"build.sh", "echo built in $(basename $PWD)\n"}},
         "pixi install\nbuilt in home\n"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Container container(row.layer);
        container.run("pixi");
        CHECK(container.status == 0);
        CHECK(container.said == row.said);
        CHECK(container.has(".pixi/envs/default/bin/tool"));
        for (const char* gone : {"pixi.toml", "pyproject.toml", "environment.yml", "pixi.lock"}) CHECK_FALSE(container.has(gone));
    }
    Container with_requirements({{"pixi.toml", "[system-requirements]\nlinux = \"5.10\"\n"}});
    with_requirements.run("pixi");
    CHECK(with_requirements.tree.read("manifest") == "[system-requirements]\nlinux = \"5.10\"\n");
    Container without({{"pixi.toml", "[workspace]"}});
    without.run("pixi");
    CHECK(without.tree.read("manifest") ==
          "[workspace]\n[system-requirements]\nlibc = { family = \"glibc\", version = \"2.39\" }\n");
    Container empty({{"other", ""}});
    empty.run("pixi");
    CHECK(empty.status == 1);
    CHECK(empty.said == "no pixi manifest found in /layer\n");
    Container failing({{"pixi.toml", ""}});
    failing.fake("pixi", "exit 7");
    failing.run("pixi");
    CHECK(failing.status == 7);
}

TEST_CASE("builders npm and cargo: what they call, and what they say without their manifest") {
    Container npm({{"package.json", "tool@1\n"}});
    npm.run("npm");
    CHECK(npm.status == 0);
    CHECK(npm.said.ends_with("npm install -g tool@1\n"));
    CHECK(npm.has(".npm-global/bin"));
    Container cargo({{"Cargo.toml", ""}});
    cargo.run("cargo");
    CHECK(cargo.status == 0);
    CHECK(cargo.said == "cargo install --path /layer --root /home/.cargo\n");
    for (const auto& [builder, words] :
         {std::pair{"npm", "no package.json in /layer\n"}, {"cargo", "no Cargo.toml in /layer\n"}}) {
        Container empty({{"other", ""}});
        empty.run(builder);
        CHECK(empty.status == 1);
        CHECK(empty.said == words);
    }
}

TEST_CASE("builder pixi: the guest keeps the environments, its caches are not shipped") {
    BuilderStep step;
    step.builder = "pixi";
    step.layer = "web";
    StepContext context;
    CHECK(builder_guest_text(step, context).ends_with("/tar '.pixi/envs/*'\n"));
    CHECK(is_builder_cache(".pixi/cache/x"));
    CHECK(is_builder_cache(".cache"));
    CHECK_FALSE(is_builder_cache(".pixi/envs/default/bin/tool"));
    CHECK_FALSE(is_builder_cache(".cachet"));
}
