// Images of a project as build contexts: whole Containerfiles with their scripts are goldens, each rule has a row.
// OV_UPDATE_GOLDEN=1 rewrites the files.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/sha256.hpp"
#include "ov/error.hpp"
#include "ov/load.hpp"
#include "plan/containerfile.hpp"
#include "plan/image_labels.hpp"
#include "support/temp_tree.hpp"

namespace {

namespace fs = std::filesystem;

fs::path golden_root() {
    const char* data = std::getenv("OV_TEST_DATA");
    return fs::path(data != nullptr ? data : "tests") / "golden" / "image";
}

/// Layers as if they were in /layers: names of uploads carry a digest of their directory.
ov::Project example() {
    ov::Project project = ov::load_project({(golden_root() / "project").string(), std::nullopt});
    for (auto& [key, layer] : project.layers) layer.dir = "/layers/" + layer.name;
    return project;
}

std::vector<ov::InstallPlan> plans_of(const ov::ImageRecipe& recipe, const ov::CompileContext& context) {
    std::vector<ov::InstallPlan> plans;
    for (const ov::Layer* layer : recipe.layers) plans.push_back(ov::compile(*layer, context));
    return plans;
}

ov::BuildContext built(const ov::Project& project, const std::string& image, const std::string& changed = {}) {
    const ov::ImageRecipe recipe = ov::image_recipe(project, image);
    ov::CompileContext context = ov::image_context(project, recipe, {});
    context.architecture = "x86_64";
    const auto plans = plans_of(recipe, context);
    std::map<std::string, std::string> digests;
    for (const ov::Upload& upload : ov::build_uploads(plans)) digests[upload.source] = ov::sha256_hex(upload.source + changed);
    return ov::build_context(recipe, plans, ov::image_labels(recipe, context), digests);
}

/// The keys change with the guest library.
std::string without_keys(std::string text) {
    for (std::size_t at = text.find(".sh\",\""); at != std::string::npos; at = text.find(".sh\",\"", at + 6))
        text.replace(at + 6, 32, "KEY");
    return text;
}

std::string text_of(const ov::BuildContext& context) {
    std::string text = without_keys(context.containerfile);
    for (const ov::BuildContext::Script& script : context.scripts) {
        // The guest library has tests of its own.
        const std::size_t steps = script.text.find("\ncd\n");
        text += "\n==> " + script.path + "\n" + script.text.substr(steps == std::string::npos ? 0 : steps + 4);
    }
    for (const ov::Upload& upload : context.uploads) text += "\n==> " + upload.staged + " from " + upload.source + "\n";
    for (const std::string& note : context.notes) text += "\nnote: " + note + "\n";
    return text;
}

std::string problem_of(const std::string& yaml) {
    const ov::test::TempTree tree;
    tree.write("overthink.yml", "version: 2026.144.1443\n" + yaml);
    const ov::Project project = ov::load_project({tree.path(), std::nullopt});
    try {
        ov::image_recipe(project, "web");
        return {};
    } catch (const ov::Error& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("images become the build contexts in the golden files") {
    const ov::Project project = example();
    for (const char* image : {"site", "box"}) {
        const std::string got = text_of(built(project, image));
        const fs::path file = golden_root() / (std::string(image) + ".txt");
        if (std::getenv("OV_UPDATE_GOLDEN") != nullptr) std::ofstream(file, std::ios::binary) << got;
        std::ifstream stream(file, std::ios::binary);
        const std::string expected{std::istreambuf_iterator<char>(stream), {}};
        CHECK_MESSAGE(got == expected, file.string());
    }
}

TEST_CASE("an instruction changes when a file that its step copies has changed, and else it does not") {
    const ov::Project project = example();
    const std::string before = built(project, "site").containerfile;
    CHECK(before == built(project, "site").containerfile);
    CHECK(before != built(project, "site", "changed").containerfile);
}

TEST_CASE("two images on one base begin with the same instructions, so that machines share their layers") {
    const ov::Project project = example();
    const std::string site = built(project, "site").containerfile, small = built(project, "small").containerfile;
    const auto run_of = [](const std::string& text) {
        return text.substr(text.find("RUN"), text.find("ENV") - text.find("RUN"));
    };
    const std::string common = run_of(small).substr(0, run_of(small).find("\n\nLABEL"));
    CHECK(site.find(common.substr(0, 300)) != std::string::npos);
}

TEST_CASE("the version is the newest of the layers' when the entry has none") {
    const ov::Project project = example();
    CHECK(ov::image_recipe(project, "site").tag() == "localhost/site:2026.150.1300");
    CHECK(ov::image_recipe(project, "box").tag() == "ghcr.io/acme/box:2026.160.1");
}

TEST_CASE("an entry that cannot be built is an error that names entry and key") {
    CHECK(problem_of("image:\n  site: {base: x/y}\n").find("no image \"web\"") == 0);
    CHECK(problem_of("image:\n  web: {layer: []}\n").find("image.web.base: required") == 0);
    CHECK(problem_of("image:\n  web: {base: a}\n  a: {base: web}\n") == "image.web.base: web stands on itself: web -> a -> web");
    CHECK(problem_of("image:\n  web: {base: x/y, user: 'a b'}\n").find("image.web.user: 'a b'") == 0);
    CHECK(problem_of("image:\n  web: {base: x/y, uid: many}\n").find("image.web.uid: 'many'") == 0);
    CHECK(problem_of("image:\n  web: {base: x/y, layer: [none]}\n").find("none") != std::string::npos);
}

namespace {

/// A project with the volume `workspace` of layer `lab`, and the layer `book` with this `data:`.
ov::BuildContext with_data(const std::string& data, std::map<std::string, std::string>* labels = nullptr) {
    const ov::test::TempTree tree;
    tree.write("overthink.yml",
               "version: 2026.144.1443\nimage:\n  nb: {base: x/y, distro: [debian], layer: [lab, book]}\n"
               "discover: {layer: [layers]}\n");
    tree.write("layers/lab/layer.yml", "layer:\n  volume: [{name: workspace, path: ~/work}]\n");
    tree.write("layers/book/layer.yml", "layer:\n  data:\n    - " + data + "\n");
    ov::Project project = ov::load_project({tree.path(), std::nullopt});
    for (auto& [key, layer] : project.layers) layer.dir = "/layers/" + layer.name;
    const ov::ImageRecipe recipe = ov::image_recipe(project, "nb");
    const ov::CompileContext context = ov::image_context(project, recipe, {});
    const auto all = ov::image_labels(recipe, context);
    if (labels != nullptr) *labels = all;
    return ov::build_context(recipe, plans_of(recipe, context), all, {});
}

std::string data_problem(const std::string& data) {
    try {
        with_data(data);
        return {};
    } catch (const ov::Error& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("data of a layer is staged below /data for its volume and told in the label (image-transfer.md 4)") {
    std::map<std::string, std::string> labels;
    const ov::BuildContext context = with_data("{src: data/books/, volume: workspace, dest: ./note/books}", &labels);
    CHECK(context.containerfile.find("# layer book: data for volume workspace\n"
                                     R"(COPY --chown=1000:1000 ["ov/data-1/","/data/workspace/note/books/"])") !=
          std::string::npos);
    REQUIRE(context.data.size() == 1);
    CHECK(context.data[0].source == "/layers/book/data/books");
    CHECK(context.data[0].path == "data-1");
    CHECK(labels.at("org.overthinkos.data") ==
          R"([{"dest":"note/books","layer":"book","staging":"/data/workspace/note/books","volume":"workspace"}])");
    CHECK(context.notes.empty());
    CHECK(with_data("{src: ., volume: workspace}").containerfile.find(R"(["ov/data-1/","/data/workspace/"])") !=
          std::string::npos);
}

TEST_CASE("data for a volume that no layer declares is left out with a note") {
    std::map<std::string, std::string> labels;
    const ov::BuildContext context = with_data("{src: data, volume: models}", &labels);
    CHECK(context.data.empty());
    CHECK(context.containerfile.find("COPY") == std::string::npos);
    CHECK(labels.count("org.overthinkos.data") == 0);
    REQUIRE(context.notes.size() == 1);
    CHECK(context.notes[0] == "layer book: data for volume models is left out: no layer of the image has that volume");
}

TEST_CASE("wrong data is an error that names layer and key") {
    CHECK(data_problem("{volume: workspace}").find("layer book: data.src: required") == 0);
    CHECK(data_problem("{src: x}").find("layer book: data.volume: required") == 0);
    CHECK(data_problem("{src: x, volume: a/b}").find("layer book: data.volume: 'a/b'") == 0);
    CHECK(data_problem("{src: ../x, volume: workspace}").find("layer book: data.src: '../x' leaves the layer") == 0);
    CHECK(data_problem("{src: /etc, volume: workspace}").find("layer book: data.src: '/etc' leaves the layer") == 0);
    CHECK(data_problem("{src: x, volume: workspace, dest: a/../../b}").find("layer book: data.dest:") == 0);
}

TEST_CASE("what a builder made is unpacked from a directory of its own in the account's home") {
    const ov::test::TempTree tree;
    tree.write("overthink.yml",
               "version: 2026.144.1443\nimage:\n  nb: {base: x/y, distro: [debian], builder: {npm: x/node}, layer: [tools]}\n"
               "discover: {layer: [layers]}\n");
    tree.write("layers/tools/layer.yml", "layer:\n  version: 2026.144.1443\n");
    tree.write("layers/tools/package.json", "{}");
    const ov::BuildContext context = built(ov::load_project({tree.path(), std::nullopt}), "nb");
    REQUIRE(context.builds.size() == 1);
    const std::string &name = context.builds[0].path, digest = name.substr(6, 16);
    const std::string home = "/home/user/.ov-build-" + digest;
    const std::string expected = "mkdir -p " + home + " && cp /run/ov-build/" + name + " " + home + "/tar || exit\n";
    const auto& scripts = context.scripts;
    CHECK(std::any_of(scripts.begin(), scripts.end(),
                      [&](const ov::BuildContext::Script& script) { return script.text.find(expected) != std::string::npos; }));
}
