// What a project's own distro and builder definitions change (layer-format.md 9, install-plan.md 6).
#include <doctest/doctest.h>

#include "ov/compile.hpp"
#include "ov/project.hpp"
#include "spec/yaml_document.hpp"
#include "support/compile_on.hpp"
#include "support/text_layer.hpp"

namespace {

ov::Entities entities(const std::string& text) {
    std::vector<ov::Diagnostic> findings;
    const auto documents = ov::spec::parse_yaml(text, "build.yml", findings);
    ov::Entities all;
    for (const ov::YamlEntry& entry : documents.at(0)->entries) all.emplace(entry.key, entry.value);
    return all;
}

std::string tags_and_format(const ov::Distro& distro) {
    std::string text;
    for (const std::string& tag : distro.tags) text += tag + " ";
    return text + "/ " + distro.format;
}

}  // namespace

TEST_CASE("install-plan 6 distro definitions: exact or without version, inherits followed, built-in systems as they are") {
    struct Row {
        const char *rule, *definitions, *tag, *result;
    };
    const Row rows[] = {
        {"built-in definitions need no project (I8)", "{x: {}}", "fedora:43", "fedora:43 fedora / rpm"},
        {"a child without format takes the parent's", "{mint: {inherits: debian}}", "mint", "mint debian / deb"},
        {"without the :version part", "{mint: {inherits: ubuntu}}", "mint:22", "mint:22 mint ubuntu debian / deb"},
        {"exact before bare", "{mint: {inherits: arch}, 'mint:22': {inherits: fedora}}", "mint:22", "mint:22 mint fedora / rpm"},
        {"through several levels", "{a: {inherits: b}, b: {inherits: c}, c: {inherits: arch}}", "a", "a b c arch / pac"},
        {"a circle ends", "{a: {inherits: b}, b: {inherits: a}}", "a", "a b / "},
        {"more than ten levels are not followed",
         "{a: {inherits: b}, b: {inherits: c}, c: {inherits: d}, d: {inherits: e}, e: {inherits: f}, f: {inherits: g}, g: "
         "{inherits: h}, h: {inherits: i}, i: {inherits: j}, j: {inherits: k}, k: {inherits: arch}}",
         "a", "a b c d e f g h i j k / "},
        {"no definition, no format", "{x: {}}", "moon", "moon / "},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        ov::Project project;
        project.distros = entities(row.definitions);
        ov::CompileContext context = ov::test::target(row.tag);
        ov::apply_definitions(context, project);
        CHECK(tags_and_format(context.distro) == row.result);
    }
}

TEST_CASE("layer-format 9 builder triggers come from the project's builder map") {
    struct Row {
        const char *rule, *definitions, *manifest, *builders;
    };
    const Row rows[] = {
        {"built in: cargo", "{x: {}}", "Cargo.toml", "cargo"},
        {"built in: npm", "{x: {}}", "package.json", "npm"},
        {"built in: pixi, first of three", "{x: {}}", "environment.yml", "pixi"},
        {"detect_file replaces", "{npm: {detect_file: [npm.json]}}", "package.json", ""},
        {"detect_file as one text", "{npm: {detect_file: npm.json}}", "npm.json", "npm"},
        {"bootstrap builders never trigger", "{boot: {kind: bootstrap, detect_file: [x]}}", "x", ""},
        {"detect_config: aur is asked for by packages", "{aur: {detect_config: aur}}", "aur", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        ov::Project project;
        project.builders = entities(row.definitions);
        ov::Layer layer = ov::test::layer_of("layer: {version: 1.1.1}");
        layer.manifests = {row.manifest};
        ov::CompileContext context = ov::test::target("arch");
        ov::apply_definitions(context, project);
        std::string found;
        for (const auto& step : ov::test::steps_of<ov::BuilderStep>(ov::compile(layer, context))) found += step.builder;
        CHECK(found == row.builders);
    }
}

TEST_CASE(
    "install-plan 15 I17 a builder without a script fails naming itself and the layer, and is left out with skip_incompatible") {
    ov::Project project;
    project.builders = entities("{nix: {detect_file: [flake.nix]}}");
    ov::Layer layer = ov::test::layer_of("layer: {version: 1.1.1, env: {A: b}}");
    layer.manifests = {"flake.nix"};
    ov::CompileContext context = ov::test::target("arch");
    ov::apply_definitions(context, project);
    CHECK_THROWS_WITH_AS(ov::compile(layer, context), doctest::Contains("layer web: flake.nix asks for the builder nix"),
                         ov::SpecError);
    context.skip_incompatible = true;
    CHECK(ov::compile(layer, context).steps.size() == 1);
}
