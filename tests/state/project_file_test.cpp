// Entities written into a file that people edit.
#include <doctest/doctest.h>

#include "model/yaml_writer.hpp"
#include "ov/diagnostic.hpp"
#include "ov/error.hpp"
#include "state/project_file.hpp"
#include "support/temp_tree.hpp"

using ov::state::EntityEdit;

namespace {

ov::YamlPtr body() {
    return ov::yaml_map({{"source", ov::yaml_map({{"kind", ov::yaml_text("clone")}})}, {"ram", ov::yaml_text("1G")}});
}

std::string edited(const std::string& text, EntityEdit edit = EntityEdit::add, const std::string& name = "new") {
    try {
        return ov::state::with_vm_entity(text, name, *body(), edit, "overthink.yml");
    } catch (const ov::Error& error) {
        return std::string("error: ") + error.what();
    }
}

}  // namespace

TEST_CASE("an entity goes below vm:, behind the others, and comments stay where they are") {
    const std::string before =
        "version: 1\n# the machines\nvm:\n  web:  # first\n    ram: 2G\n    # of web\n\n# below are deploys\ndeploy: {a: "
        "{target: vm}}\n";
    CHECK(edited(before) ==
          "version: 1\n# the machines\nvm:\n  web:  # first\n    ram: 2G\n  new:\n      source:\n          kind: clone\n      "
          "ram: 1G\n"
          "    # of web\n\n# below are deploys\ndeploy: {a: {target: vm}}\n");
    CHECK(edited("vm:\n    web: {ram: 2G}\n") ==
          "vm:\n    web: {ram: 2G}\n    new:\n        source:\n            kind: clone\n        ram: 1G\n");
}

TEST_CASE("a file without vm:, with an empty one, and an empty file") {
    const std::string block = "vm:\n    new:\n        source:\n            kind: clone\n        ram: 1G\n";
    CHECK(edited("version: 1") == "version: 1\n" + block);
    CHECK(edited("") == block);
    CHECK(edited("vm: {}\nversion: 1\n") == block + "version: 1\n");
    CHECK(edited("vm:\nversion: 1\n") == block + "version: 1\n");
}

TEST_CASE("replace: one entity's lines change, the next one's comment stays") {
    CHECK(
        edited("vm:\n    new:\n        ram: 9G\n        cpu: 3\n\n    # about web\n    web: {ram: 2G}\n", EntityEdit::replace) ==
        "vm:\n    new:\n        source:\n            kind: clone\n        ram: 1G\n\n    # about web\n    web: {ram: 2G}\n");
}

TEST_CASE("what cannot be done is said, with the place") {
    CHECK(edited("vm:\n    new: {ram: 1G}\n") == "error: overthink.yml:2: there is already a VM new");
    CHECK(edited("vm:\n    web: {}\n", EntityEdit::replace) == "error: overthink.yml: there is no VM new");
    CHECK(edited("vm: {web: {ram: 1G}}\n").find("overthink.yml:1: `vm:` is written in braces") != std::string::npos);
    CHECK_THROWS_AS(ov::state::with_vm_entity("vm: [", "new", *body(), EntityEdit::add, "overthink.yml"), ov::SpecError);
    const ov::test::TempTree tree;
    CHECK_THROWS_AS(ov::state::write_vm_entity(tree.path("overthink.yml"), "new", *body(), EntityEdit::add), ov::Error);
}
