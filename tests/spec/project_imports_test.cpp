// Imports that lie elsewhere (layer-format.md 2.2, W26, W27): remote files, projects under an alias, layers given by path.
#include <doctest/doctest.h>

#include "ov/load.hpp"
#include "support/temp_tree.hpp"

using ov::test::TempTree;

namespace {

const std::string version = "version: 2026.144.1443\n";

/// A project beside the checkout of github.com/acme/base at v1.
struct Place {
    TempTree tree;
    ov::Checkouts checkouts;

    explicit Place(TempTree::Files files) : tree(std::move(files)) {
        const ov::Checkout checkout{tree.path("repo"), "v1", "c0ffee"};
        checkouts = {{{"github.com/acme/base", "v1"}, checkout}, {{"github.com/acme/base", ""}, checkout}};
    }
    ov::Project load() const { return ov::load_project({tree.path("mine"), std::nullopt, &checkouts}); }
    std::string errors() const {
        std::string text;
        try {
            load();
        } catch (const ov::SpecError& e) {
            for (const ov::Diagnostic& finding : e.findings()) text += finding.str() + "\n";
        }
        return text;
    }
};

std::string wanted(const std::vector<ov::RepositoryAt>& all) {
    std::string text;
    for (const ov::RepositoryAt& one : all) text += (text.empty() ? "" : " ") + one.repository + "@" + one.version;
    return text;
}

}  // namespace

TEST_CASE(
    "layer-format 2.2 remote flat imports: a file of a repository, or its overthink.yml, merged like a local one") {
    const char* rest = "layer: {shared: {version: 1.1.1, env: {A: mine}}}\n";
    struct Row {
        const char *rule, *ref;
    };
    const Row rows[] = {{"a file at a tag", "@github.com/acme/base/sub/build.yml:v1"},
                        {"the other spelling", "github.com/acme/base/sub/build.yml@v1"},
                        {"no path means overthink.yml", "@github.com/acme/base:v1"},
                        {"no version means the default branch", "@github.com/acme/base"}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const Place place({{"mine/overthink.yml", version + "import: ['" + row.ref + "']\n" + rest},
                           {"repo/overthink.yml", "import: [sub/build.yml]\n"},
                           {"repo/sub/build.yml",
                            "version: 2020.1.1\nlayer: {shared: {version: 1.1.1, env: {A: theirs}}}\ndiscover: {layer: [more]}\n"
                            "deploy: {d: {target: local}}\n"},
                           {"repo/sub/more/far/layer.yml", "layer: {version: 2.2.2}"}});
        const ov::Project project = place.load();
        CHECK(project.layers.at("shared").env.at("A") == "mine");  // the importing file wins
        CHECK(project.layers.at("far").dir == place.tree.path("repo/sub/more/far"));
        CHECK(project.deploys.contains("d"));
        CHECK(project.warnings.empty());
    }
}

TEST_CASE("layer-format 2.2 remote flat imports: what is lacking is listed, nothing else is said until it is there") {
    const Place place(
        {{"mine/overthink.yml", version + "import: ['@github.com/acme/base:v1', '@github.com/b/b:v2', '@github.com/a/a']\n"},
         {"repo/overthink.yml", "import: ['@github.com/c/c']\n"}});
    const ov::Project project = place.load();
    CHECK(wanted(project.lacking) == "github.com/a/a@ github.com/b/b@v2 github.com/c/c@");
    CHECK_THROWS_WITH_AS(ov::load_project({place.tree.path("mine"), std::nullopt, nullptr}),
                         doctest::Contains("remote import \"@github.com/acme/base:v1\" is not fetched here"), ov::SpecError);
}

TEST_CASE("layer-format 2.2 a fetched file names files of its own repository only") {
    struct Row {
        const char *rule, *text, *finding;
    };
    const Row rows[] = {
        {"import", "import: [../mine/x.yml]\n", "repo/overthink.yml:1:10: import[0]: \"../mine/x.yml\" leads out of"},
        {"absolute import", "import: [/etc/passwd]\n", "\"/etc/passwd\" leads out of the fetched repository"},
        {"namespace", "import: [{up: ..}]\n", "import[0].up: \"..\" leads out of"},
        {"discovery", "discover: {layer: [../mine]}\n", "discover.layer[0]: \"../mine\" leads out of"},
        {"layer directory", "layer: {q: {from: ../mine/q}}\n", "layer.q: \"../mine/q\" leads out of"},
        {"a missing file of it", "import: [gone.yml]\n", "repo/overthink.yml:1:10: import cannot be read: "},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const Place place({{"mine/overthink.yml", version + "import: ['@github.com/acme/base:v1']\n"},
                           {"mine/x.yml", "deploy: {}\n"},
                           {"repo/overthink.yml", row.text}});
        const std::string errors = place.errors();
        CAPTURE(errors);
        CHECK(errors.find(row.finding) != std::string::npos);
    }
}

TEST_CASE("layer-format 2.2 namespaced entities: alias.image brings the image and its layers, nothing else is visible") {
    const Place place({{"mine/overthink.yml", version + R"(
import: [{far: '@github.com/acme/base:v1'}, {near: ../near}, {file: ../near/overthink.yml}, {bad: ../bad}]
layer: {tool: {version: 9.9.9, env: {A: mine}}}
image:
  own: {base: far.base, distro: [fedora], builder: {npm: own}}
)"},
                       {"repo/overthink.yml", version + R"(
import: [{main: '@github.com/acme/mine:v7'}]
image:
  base: {base: quay.io/x, distro: [fedora], builder: {npm: b}}
  img: {base: base, layer: [tool, '@github.com/acme/base/layers/z:v1']}
layer: {tool: {version: 1.1.1, require: [dep], env: {A: far}}, dep: {version: 1.1.1, env: {A: dep}}, unused: {version: 1.1.1}}
vm: {hidden: {source: {kind: bootc, image: x}}}
)"},
                       {"near/overthink.yml", version + "import: [{back: ../mine}]\nimage: {img: {layer: [gone]}}\n"},
                       {"bad/overthink.yml", "version: 1999.1.1\n"}});
    ov::Project project = place.load();
    CHECK(project.layers.size() == 1);
    CHECK_FALSE(project.vms.contains("hidden"));

    SUBCASE("a repository that is not there is asked for") {
        CHECK(wanted(ov::resolve_image(project, "far.img", {})) == "github.com/acme/base@v1");
    }
    SUBCASE("image and closure come under the alias, remote references as they are") {
        CHECK(ov::resolve_image(project, "far.img", place.checkouts).empty());
        const ov::YamlNode& image = *project.images.at("far.img");
        CHECK(image.find("base")->text == "far.base");
        CHECK(image.find("layer")->items.at(0)->text == "far.tool");
        CHECK(image.find("layer")->items.at(1)->text == "@github.com/acme/base/layers/z:v1");
        CHECK(ov::find_layer(project, "far.tool").env.at("A") == "far");
        CHECK(ov::find_layer(project, "far.tool").require.at(0).key == "far.dep");
        CHECK(ov::find_layer(project, "tool").env.at("A") == "mine");
        CHECK_FALSE(project.layers.contains("far.unused"));
    }
    SUBCASE("a project is read once, however many of its images are asked for") {
        CHECK(ov::resolve_image(project, "far.img", place.checkouts).empty());
        place.tree.write("repo/overthink.yml", "broken: [\n");
        CHECK(ov::resolve_image(project, "far.base", place.checkouts).empty());
        CHECK(project.mounted.size() == 1);
    }
    SUBCASE("projects that import each other are fine") {
        CHECK(ov::resolve_image(project, "near.img", {}).empty());
        CHECK(ov::resolve_image(project, "file.img", {}).empty());
        CHECK(project.mounted.size() == 1);  // a directory means its overthink.yml
        CHECK_THROWS_AS(ov::find_layer(project, "near.gone"), ov::LayerNotFound);
    }
    SUBCASE("an image that is not there is an error naming it, the alias and the nearest") {
        CHECK_THROWS_WITH_AS(ov::resolve_image(project, "far.bsae", place.checkouts),
                             doctest::Contains("no image \"bsae\" in the project mounted as far"), ov::Error);
    }
    SUBCASE("a project that does not load tells its findings") {
        CHECK_THROWS_WITH_AS(ov::resolve_image(project, "bad.x", {}), doctest::Contains("old schema 1999.1.1"), ov::SpecError);
    }
    SUBCASE("an image on a namespaced base is no root image") {
        CHECK(ov::builder_images(project, {"fedora"}).empty());
    }
    SUBCASE("names of the project itself, and of nobody, need nothing") {
        CHECK(ov::resolve_image(project, "own", {}).empty());
        CHECK(ov::resolve_image(project, "quay.io/x", {}).empty());
    }
}

TEST_CASE("layer-format 15 layers given by path (W26): relative to the project, absolute, or a layer.yml") {
    const Place place({{"mine/overthink.yml", version + "layer: {web: {version: 1.1.1}}\n"},
                       {"mine/extra/one/layer.yml", "layer: {version: 1.1.1}"},
                       {"elsewhere/web/layer.yml", "layer: {version: 1.1.1}"}});
    ov::Project project = place.load();
    struct Row {
        const char* rule;
        std::string ref, key;
    };
    const Row rows[] = {{"relative", "./extra/one", "one"},
                        {"with a slash at the end", "./extra/one/", "one"},
                        {"the file", "./extra/one/layer.yml", "one"},
                        {"the file without ./", "extra/one/layer.yml", "one"},
                        {"absolute", place.tree.path("mine/extra/one"), "one"},
                        {"a name stays a name", "web", "web"},
                        {"a remote reference stays one", "@github.com/a/b/layers/x.yml:v1", "github.com/a/b/layers/x.yml"}};
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(ov::resolve_layer_ref(project, row.ref, project.directory) == row.key);
        if (project.layers.contains(row.key)) CHECK(ov::find_layer(project, row.ref).key == row.key);
    }
    CHECK_THROWS_WITH_AS(ov::resolve_layer_ref(project, "./gone", project.directory),
                         doctest::Contains(("no layer.yml in " + place.tree.path("mine/gone")).c_str()), ov::LayerNotFound);
    CHECK_THROWS_WITH_AS(ov::resolve_layer_ref(project, "../elsewhere/web", project.directory),
                         doctest::Contains("layer \"web\" is in "), ov::Error);
}
