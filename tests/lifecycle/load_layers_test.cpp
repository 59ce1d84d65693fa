// Remote layers (layer-format.md 15, W26, W27) against local repositories.
#include "lifecycle/load_layers.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "async/runtime.hpp"
#include "ov/compile.hpp"
#include "ov/load.hpp"
#include "support/git_repository.hpp"

using ov::test::Forge;
using ov::test::TempTree;

namespace {

struct Loaded {
    std::string order, warnings, error;
    ov::Project project;
};

Loaded load(const Forge& forge, std::vector<std::string> requests, bool refresh = false, const std::string& layers = "") {
    const TempTree tree({{"overthink.yml", "version: 2026.144.1443\n" + layers}});
    Loaded loaded;
    ov::Project& project = loaded.project = ov::load_project({tree.path(), std::nullopt});
    ov::Runtime runtime(1);
    ov::state::RepoCache cache(forge.cache(), runtime.pool);
    std::exception_ptr failure;
    asio::co_spawn(runtime.io, ov::load_remote_layers(project, requests, cache, ov::Deadline::unlimited(), refresh),
                   [&](std::exception_ptr error) { failure = error; });
    runtime.io.run();
    try {
        if (failure) std::rethrow_exception(failure);
        for (const ov::Layer* layer : ov::order_layers(requests, project.layers))
            loaded.order += (loaded.order.empty() ? "" : " ") + layer->key;
    } catch (const ov::Error& e) {
        loaded.error = e.what();
    }
    for (const ov::Diagnostic& warning : project.warnings) loaded.warnings += warning.message + "\n";
    return loaded;
}

bool skip() {
    if (ov::test::has_git()) return false;
    MESSAGE("skipped: git is not installed");
    return true;
}

const char* layer(const char* text) {
    return text;
}

}  // namespace

TEST_CASE("layer-format 15 every spelling of a remote reference means the same layer") {
    if (skip()) return;
    const Forge forge;
    forge.commit("acme/infra", {{"layers/agents/layer.yml", layer("layer: {version: 2026.1.1, env: {A: b}}")}}, "v1.2.0", true);
    for (const char* ref : {"@github.com/acme/infra/layers/agents:v1.2.0", "github.com/acme/infra/layers/agents@v1.2.0",
                            "@github.com/acme/infra/layers/agents", "github.com/acme/infra/layers/agents",
                            "@github.com/acme/infra/layers/agents:main"}) {
        CAPTURE(std::string(ref));
        const Loaded loaded = load(forge, {ref});
        CHECK(loaded.error == "");
        CHECK(loaded.order == "github.com/acme/infra/layers/agents");
        CHECK(loaded.project.layers.at("github.com/acme/infra/layers/agents").origin.starts_with("github.com/acme/infra@"));
    }
    CHECK(std::filesystem::is_directory(forge.cache() + "/github.com/acme/infra@v1.2.0"));
    CHECK_FALSE(std::filesystem::exists(forge.cache() + "/github.com/acme/infra@v1.2.0/.git"));
    const auto record = nlohmann::json::parse(forge.tree().read("cache/github.com/acme/.infra@v1.2.0.json"));
    CHECK(record["commit"].get<std::string>().size() == 40);
}

TEST_CASE(
    "layer-format 15 a plain name inside a remote layer is its sibling at the same tag; the closure is fetched until nothing new "
    "appears") {
    if (skip()) return;
    const Forge forge;
    forge.commit("acme/infra",
                 {{"layers/a/layer.yml",
                   layer("layer: {version: 1.1.1, env: {A: a}, require: [b, '@github.com/other/repo/layers/c:v2']}")},
                  {"layers/b/layer.yml", layer("layer: {version: 1.1.1, env: {A: b}}")}},
                 "v1");
    forge.commit("other/repo",
                 {{"layers/c/layer.yml", layer("layer: {version: 1.1.1, env: {A: c}, require: [d]}")},
                  {"layers/d/layer.yml", layer("layer: {version: 1.1.1, env: {A: d}}")}},
                 "v2");
    const Loaded loaded = load(forge, {"mine"}, false,
                               "layer: {mine: {version: 1.1.1, env: {A: m}, require: ['@github.com/acme/infra/layers/a:v1']}, b: "
                               "{version: 9.9.9, env: {A: local}}}\n");
    CHECK(loaded.error == "");
    CHECK(loaded.order ==
          "github.com/acme/infra/layers/b github.com/other/repo/layers/d github.com/other/repo/layers/c "
          "github.com/acme/infra/layers/a mine");
}

TEST_CASE("layer-format 15 what is cached is used (W27) without the network, also the default branch") {
    if (skip()) return;
    const Forge forge;
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 1.1.1, env: {A: a}}")}}, "v1");
    CHECK(load(forge, {"@github.com/acme/infra/layers/a"}).error == "");
    CHECK(load(forge, {"@github.com/acme/infra/layers/a:v1"}).error == "");
    forge.disconnect();
    CHECK(load(forge, {"@github.com/acme/infra/layers/a"}).error == "");
    CHECK(load(forge, {"@github.com/acme/infra/layers/a:v1"}).error == "");
    const std::string error = load(forge, {"@github.com/acme/infra/layers/a:v2"}).error;
    CAPTURE(error);
    CHECK(error.find("cannot fetch github.com/acme/infra at v2 (https://github.com/acme/infra.git): ") == 0);
    CHECK(error.find("nothing is cached in " + forge.cache() + "/github.com/acme/infra@v2") != std::string::npos);
}

TEST_CASE("layer-format 15 a version that the server lacks is told as such") {
    if (skip()) return;
    const Forge forge;
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 1.1.1, env: {A: a}}")}}, "v1");
    CHECK(load(forge, {"@github.com/acme/infra/layers/a:v9"}).error.find("couldn't find remote ref v9") != std::string::npos);
    CHECK(load(forge, {"@github.com/acme/infra/layers/zzz:v1"})
              .error.find("layer \"@github.com/acme/infra/layers/zzz:v1\" not found") == 0);
}

TEST_CASE("layer-format 15 a remote layer must say its version") {
    if (skip()) return;
    const Forge forge;
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {env: {A: a}}")}}, "v1");
    CHECK(load(forge, {"@github.com/acme/infra/layers/a:v1"}).error.find("of github.com/acme/infra at v1 has no version") !=
          std::string::npos);
}

TEST_CASE("layer-format 18 W27 an interrupted fetch leaves no cache, the next run cleans up after it") {
    if (skip()) return;
    const Forge forge;
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 1.1.1, env: {A: a}}")}}, "v1");
    forge.tree().write("cache/github.com/acme/.infra@v1.partial/layers/a/layer.yml", "half");
    const Loaded loaded = load(forge, {"@github.com/acme/infra/layers/a:v1"});
    CHECK(loaded.error == "");
    CHECK_FALSE(std::filesystem::exists(forge.cache() + "/github.com/acme/.infra@v1.partial"));
}

TEST_CASE("layer-format 18 W27 a moved tag is noticed when asked to look again, and told with both commits") {
    if (skip()) return;
    const Forge forge;
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 1.1.1, env: {A: old}}")}}, "v1");
    load(forge, {"@github.com/acme/infra/layers/a:v1"});
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 1.1.1, env: {A: new}}")}}, "v1");
    const std::string key = "github.com/acme/infra/layers/a";
    CHECK(load(forge, {"@github.com/acme/infra/layers/a:v1"}).project.layers.at(key).env.at("A") == "old");
    const Loaded fresh = load(forge, {"@github.com/acme/infra/layers/a:v1"}, true);
    CHECK(fresh.project.layers.at(key).env.at("A") == "new");
    CHECK(fresh.warnings.find("github.com/acme/infra at v1 moved from ") != std::string::npos);
}

TEST_CASE(
    "layer-format 15 the same layer at several tags: the newest version wins with a warning, equal versions the highest tag in "
    "silence") {
    if (skip()) return;
    const Forge forge;
    const std::string key = "github.com/acme/infra/layers/a";
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 2026.9.1, env: {A: one}}")}}, "v1");
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 2026.10.1, env: {A: two}}")}}, "v2");
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 2026.10.1, env: {A: ten}}")}}, "v10");
    const Loaded versions = load(forge, {"@github.com/acme/infra/layers/a:v1", "@github.com/acme/infra/layers/a:v2"});
    CHECK(versions.project.layers.at(key).env.at("A") == "two");
    CHECK(versions.warnings.find("v2 (version 2026.10.1) is used, not v1 (version 2026.9.1)") != std::string::npos);
    const Loaded tags = load(forge, {"@github.com/acme/infra/layers/a:v10", "@github.com/acme/infra/layers/a:v2"});
    CHECK(tags.project.layers.at(key).env.at("A") == "ten");
    CHECK(tags.warnings == "");
}

TEST_CASE("a reference cannot pass options to git or leave the cache") {
    if (skip()) return;
    const Forge forge;
    for (const char* ref :
         {"@github.com/acme/infra/layers/a:--upload-pack=x", "@github.com/acme/infra/layers/a:../../x", "@-host/acme/infra/a"}) {
        CAPTURE(std::string(ref));
        CHECK(load(forge, {ref}).error.find("cannot be part of a remote reference") != std::string::npos);
    }
}

TEST_CASE("layer-format 2.2 a project imports files of repositories, fetched when it is loaded and reused without network") {
    if (skip()) return;
    const Forge forge;
    forge.commit("acme/base",
                 {{"build.yml", "import: ['@github.com/acme/more:v2']\nlayer: {far: {version: 1.1.1, env: {A: far}}}\n"},
                  {"overthink.yml", "version: 2026.144.1443\nimage: {img: {layer: [tool]}}\nlayer: {tool: {version: 1.1.1}}\n"}},
                 "v1");
    forge.commit("acme/more", {{"overthink.yml", "layer: {more: {version: 1.1.1, env: {A: more}}}\n"}}, "v2");
    const TempTree tree(
        {{"overthink.yml",
          "version: 2026.144.1443\nimport: ['@github.com/acme/base/build.yml:v1', {base: '@github.com/acme/base:v1'}]\n"}});
    ov::Runtime runtime(1);
    const ov::RemoteAccess access{forge.cache(), runtime, ov::Deadline::unlimited()};
    for (const bool connected : {true, false}) {
        CAPTURE(connected);
        if (!connected) forge.disconnect();
        ov::Project project = ov::load_project({tree.path(), std::nullopt}, access);
        CHECK(project.layers.size() == 2);
        CHECK(project.layers.at("more").env.at("A") == "more");
        ov::fetch_image(project, "base.img", access);
        CHECK(project.layers.contains("base.tool"));
    }
    const TempTree cold({{"overthink.yml", "version: 2026.144.1443\nimport: ['@github.com/acme/never:v1']\n"}});
    CHECK_THROWS_WITH_AS(ov::load_project({cold.path(), std::nullopt}, access),
                         doctest::Contains("cannot fetch github.com/acme/never at v1 (https://github.com/acme/never.git)"),
                         ov::Error);
}

namespace {

/// A `git` in front of the real one that does `what` instead of, or after, the subcommand `when`.
class FakeGit {
public:
    FakeGit(const TempTree& tree, const std::string& when, const std::string& what) : path_(std::getenv("PATH")) {
        tree.write("bin/git", "#!/bin/sh\ncase \" $* \" in *\" " + when + " \"*) " + what + " ;; esac\nPATH='" + path_ +
                                  "' exec git \"$@\"\n");
        std::filesystem::permissions(tree.path("bin/git"), std::filesystem::perms::owner_all);
        setenv("PATH", (tree.path("bin") + ":" + path_).c_str(), 1);
    }
    ~FakeGit() { setenv("PATH", path_.c_str(), 1); }
    FakeGit(const FakeGit&) = delete;
    FakeGit& operator=(const FakeGit&) = delete;

private:
    std::string path_;
};

}  // namespace

TEST_CASE("layer-format 18 W27 git that is killed in mid-fetch leaves no half cache, and the next run works") {
    if (skip()) return;
    struct Row {
        const char *name, *when, *what;
    };
    // The second argument of `-C DIR fetch` is the directory that is being filled.
    const Row rows[] = {{"before the first object", "fetch", "kill -9 $$"},
                        {"with half a pack written", "fetch", "echo half >\"$2/.git/objects/pack/tmp_pack_x\"; kill -9 $$"},
                        {"in the middle of the checkout", "checkout",
                         "mkdir -p \"$2/layers/a\"; echo 'layer: {ver' >\"$2/layers/a/layer.yml\"; kill -9 $$"},
                        {"with a full disk", "fetch", "echo 'fatal: No space left on device' >&2; exit 128"}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const Forge forge;
        forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 1.1.1, env: {A: a}}")}}, "v1");
        const std::string ref = "@github.com/acme/infra/layers/a:v1";
        {
            const FakeGit killed(forge.tree(), row.when, row.what);
            CHECK(load(forge, {ref}).error.find("cannot fetch github.com/acme/infra at v1") == 0);
        }
        CHECK_FALSE(std::filesystem::exists(forge.cache() + "/github.com/acme/infra@v1"));
        const Loaded again = load(forge, {ref});
        CHECK(again.error == "");
        CHECK(again.order == "github.com/acme/infra/layers/a");
        CHECK_FALSE(std::filesystem::exists(forge.cache() + "/github.com/acme/.infra@v1.partial"));
    }
}

TEST_CASE("layer-format 18 W27 the program killed in mid-fetch leaves no half cache and no lock, also while its git lives on") {
    if (skip()) return;
    const Forge forge;
    forge.commit("acme/infra", {{"layers/a/layer.yml", layer("layer: {version: 1.1.1, env: {A: a}}")}}, "v1");
    const std::string ref = "@github.com/acme/infra/layers/a:v1", marker = forge.tree().path("fetching");
    {
        const FakeGit slow(
            forge.tree(), "fetch",
            "echo half >\"$2/half\"; echo $$ >'" + marker + ".new'; mv '" + marker + ".new' '" + marker + "'; sleep 60; exit 1");
        const pid_t child = ::fork();
        if (child == 0) {
            load(forge, {ref});
            ::_exit(0);
        }
        for (int i = 0; i < 1000 && !std::filesystem::exists(marker); ++i) ::usleep(10'000);
        REQUIRE(std::filesystem::exists(marker));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }
    CHECK_FALSE(std::filesystem::exists(forge.cache() + "/github.com/acme/infra@v1"));
    const Loaded again = load(forge, {ref});
    CHECK(again.error == "");
    CHECK(again.order == "github.com/acme/infra/layers/a");
    ::kill(static_cast<pid_t>(std::stoi(forge.tree().read("fetching"))), SIGKILL);
}
