#include "state/deploy_config.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "model/yaml_writer.hpp"
#include "ov/load.hpp"
#include "state/state_file.hpp"
#include "support/temp_tree.hpp"

using ov::state::DeployDocument;
using ov::test::TempTree;

namespace {

// The worked example of cli-and-config.md 13, put together from the parts that its three files share.
const std::string lab_entry = "deploy:\n    lab:\n        env:\n            - TZ=UTC\n";
const std::string machine_entry = "    vm:lab-vm:\n";
const std::string machine = "        target: vm\n        vm: lab-vm\n";
const std::string machine_state = R"(        vm_state:
            instance_id: 6b0d2f0e-0000-4000-8000-000000000001
            ssh_port: 40022
            ssh_user: fedora
            backend: qemu
)";
const std::string strategy = "            ov_install_strategy: auto\n";
const std::string disposable = "        disposable: true\n";

const std::string example_before = lab_entry + machine_entry + machine + machine_state;
const std::string example_after =
    lab_entry + machine + machine_state + strategy + disposable + machine_entry + machine + machine_state + strategy;
const std::string example_destroyed = lab_entry + machine + disposable;

const ov::VmIdentity lab{"lab-vm", ""};

}  // namespace

TEST_CASE("the worked example A of cli-and-config.md 13 is written byte for byte") {
    const TempTree tree({{"deploy.yml", example_before}});
    ov::VmState state;
    state.install_strategy = "auto";
    const bool written = ov::state::update_deploy_file(tree.path("deploy.yml"), [&](DeployDocument& document) {
        ov::state::record_vm_state(document, "lab", lab, state);
        document.set_field("lab", "disposable", ov::yaml_boolean(true));
    });
    CHECK(written);
    CHECK(tree.read("deploy.yml") == example_after);
    struct stat info {};
    REQUIRE(::stat(tree.path("deploy.yml").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0600);
}

TEST_CASE("the worked example B: destroying the machine drops its state and the entry that only held it") {
    const TempTree tree({{"deploy.yml", example_after}});
    ov::state::update_deploy_file(tree.path("deploy.yml"),
                                  [&](DeployDocument& document) { ov::state::drop_vm_state(document, lab); });
    CHECK(tree.read("deploy.yml") == example_destroyed);
}

TEST_CASE("an edit that changes nothing does not write, whatever the file looks like") {
    const char* text = "# mine\ndeploy: {b: {target: vm, vm: x, cpus: 2}, a: {target: local}}\nextra: [1, '1']\n";
    const TempTree tree({{"deploy.yml", text}});
    CHECK_FALSE(ov::state::update_deploy_file(tree.path("deploy.yml"), [](DeployDocument& document) {
        document.set_field("b", "vm", ov::yaml_text("x"));
        document.remove_field("a", "vm");
        document.remove_entry("nobody");
    }));
    CHECK(tree.read("deploy.yml") == text);
}

TEST_CASE("what an edit did not touch means the same afterwards: unknown keys, opaque values, number-like texts") {
    const char* text = R"(
extra: {list: [a, {b: '010', c: "yes"}], when: 2026-01-01}
provides: {web: {URL: "http://h:80/#x"}}
version: 2026.144.1443
deploy:
  z: {target: pod, image: img, mystery: {deep: [null, ~, "", "multi\nline", ' lead', "tab\t"]}, port: ["80:80"], shell: [{bash: {init: "a: b #c"}}]}
  a: {target: vm, vm: e, nested: {child: {target: pod, image: i, own: 1}}}
)";
    const TempTree tree({{"deploy.yml", text}});
    ov::state::update_deploy_file(tree.path("deploy.yml"),
                                  [](DeployDocument& document) { document.set_field("a", "ram", ov::yaml_text("2G")); });
    const DeployDocument before = DeployDocument::parse(text, "before");
    const DeployDocument after = DeployDocument::parse(tree.read("deploy.yml"), "after");
    for (const char* key : {"extra", "provides", "version"}) {
        CAPTURE(key);
        CHECK(ov::equal_values(*before.root().find(key), *after.root().find(key)));
    }
    CHECK(ov::equal_values(*before.node("z").body, *after.node("z").body));
    CHECK(after.node("a").ram == "2G");
    CHECK(after.node("a").nested.at("child").image == "i");
}

TEST_CASE("a file with a finding stops every write and stays as it is") {
    struct Row {
        const char *name, *text;
    };
    const Row rows[] = {{"duplicate key", "deploy: {a: {target: vm, target: vm}}\n"},
                        {"wrong type", "deploy: {a: {env: {A: b}}}\n"},
                        {"syntax", "deploy: {a: [\n"},
                        {"old schema", "images: {a: b}\n"},
                        {"key with a dot", "deploy: {a.b: {target: vm}}\n"},
                        {"reserved name", "deploy: {a-eph-1: {target: vm}}\n"},
                        {"vm: key that names another entity", "deploy: {\"vm:a\": {target: vm, vm: b}}\n"},
                        {"retired target", "deploy: {a: {target: host}}\n"}};
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const TempTree tree({{"deploy.yml", row.text}});
        CHECK_THROWS_AS(ov::state::update_deploy_file(tree.path("deploy.yml"),
                                                      [](DeployDocument& d) { d.set_field("n", "target", ov::yaml_text("vm")); }),
                        ov::SpecError);
        CHECK(tree.read("deploy.yml") == row.text);
    }
}

TEST_CASE("an edit that would make the file invalid is refused") {
    const TempTree tree({{"deploy.yml", example_before}});
    CHECK_THROWS_AS(ov::state::update_deploy_file(tree.path("deploy.yml"),
                                                  [](DeployDocument& d) { d.set_field("lab", "target", ov::yaml_text("moon")); }),
                    ov::SpecError);
    CHECK(tree.read("deploy.yml") == example_before);
}

TEST_CASE("the file goes when its last entry goes, and stays while anything else is in it") {
    const TempTree tree({{"deploy.yml", "deploy: {a: {target: vm, vm: x}}\n"},
                         {"kept.yml", "version: 2026.144.1443\ndeploy: {a: {target: vm, vm: x}}\n"}});
    const auto remove = [](DeployDocument& document) { document.remove_entry("a"); };
    ov::state::update_deploy_file(tree.path("deploy.yml"), remove);
    CHECK_FALSE(std::filesystem::exists(tree.path("deploy.yml")));
    ov::state::update_deploy_file(tree.path("kept.yml"), remove);
    CHECK(tree.read("kept.yml") == "version: 2026.144.1443\n");
}

TEST_CASE("a missing file is an empty one, and a symbolic link keeps pointing at what is replaced") {
    const TempTree tree;
    std::filesystem::create_symlink("real/deploy.yml", tree.path("deploy.yml"));
    ov::state::update_deploy_file(tree.path("deploy.yml"),
                                  [](DeployDocument& d) { d.set_field("a", "target", ov::yaml_text("local")); });
    CHECK(std::filesystem::is_symlink(tree.path("deploy.yml")));
    CHECK(tree.read("real/deploy.yml") == "deploy:\n    a:\n        target: local\n");
}

TEST_CASE("state of a machine is found by its own key, the addressed key, or the only entry that means it") {
    std::vector<ov::Diagnostic> warnings;
    const TempTree tree({{"deploy.yml", R"(
deploy:
  vm:e: {target: vm, vm: e, vm_state: {ssh_port: 1}}
  one: {target: vm, vm: f, vm_state: {ssh_port: 2}}
  two/x: {target: vm, vm: g, vm_state: {ssh_port: 3}}
  three/x: {target: vm, vm: g, vm_state: {ssh_port: 4}}
)"}});
    const ov::DeployMap deploys = ov::load_deploy_file(tree.path("deploy.yml"), warnings);
    CHECK(ov::find_vm_state(deploys, {"e", ""}, "anything")->ssh_port == 1);
    CHECK(ov::find_vm_state(deploys, {"f", ""}, "vm:f")->ssh_port == 2);
    CHECK(ov::find_vm_state(deploys, {"g", "x"}, "two/x")->ssh_port == 3);
    CHECK(ov::find_vm_state(deploys, {"g", "x"}, "vm:g/x") == nullptr);
    CHECK(ov::find_vm_state(deploys, {"f", "y"}, "vm:f/y") == nullptr);
}
