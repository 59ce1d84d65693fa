// vm-spec.md 1: where entities stand and how they load; validate_entities and decisions 27.
#include <doctest/doctest.h>

#include "ov/load.hpp"
#include "ov/vm_validate.hpp"
#include "support/temp_tree.hpp"

using ov::test::TempTree;

namespace {

const std::string version = "version: 2026.144.1443\n";

struct Inspected {
    ov::Project project;
    std::string findings;
};

Inspected inspect(const TempTree& tree) {
    std::vector<ov::Diagnostic> findings;
    Inspected inspected{ov::inspect_project({tree.path(), std::nullopt}, findings), {}};
    for (const ov::Diagnostic& finding : findings) {
        std::string line = finding.str() + "\n";
        if (const std::size_t at = line.find(tree.path() + "/"); at != std::string::npos) line.erase(at, tree.path().size() + 1);
        inspected.findings += line;
    }
    return inspected;
}

}  // namespace

TEST_CASE("1 both forms, several documents, an imported file: the whole schema is decoded with places") {
    const Inspected found = inspect(TempTree(
        {{"overthink.yml", version + "import: [vm.yml]\nvm:\n  root: {source: {kind: bootc, image: i}, ram: 2G}\n"},
         {"vm.yml",
          "vm:\n  name: one\n  version: 1.0.0\n  description: d\n  spec:\n    source: {kind: bootc, image: i}\n"
          "    libvirt: {cpu: {mode: maximum}}\n---\nvm:\n  name: two\n  spec: {source: {kind: bootc, image: i}, cpu: 3}\n"}}));
    CHECK(found.findings == "");
    REQUIRE(found.project.vms.size() == 3);
    CHECK(found.project.vms.at("root").spec->ram == "2G");
    CHECK(found.project.vms.at("two").spec->cpu == 3);
    const ov::VmSpec& one = *found.project.vms.at("one").spec;
    CHECK(one.name == "one");
    CHECK(one.where("libvirt.cpu.mode").line == 7);
    CHECK(one.where("libvirt.cpu.mode").file.ends_with("vm.yml"));
}

TEST_CASE("1 vms is an older spelling of vm") {
    const Inspected found = inspect(TempTree({{"overthink.yml", version + "vms: {web: {source: {kind: bootc, image: i}}}\n"}}));
    CHECK(found.findings == "overthink.yml:2:1: warning: vms: an older spelling; write vm\n");
    CHECK(found.project.vms.contains("web"));
    CHECK(inspect(TempTree({{"overthink.yml", version + "vms: {a: {}}\nvm: {b: {}}\n"}}))
              .findings.find("vms and vm are one key and have different values") != std::string::npos);
}

TEST_CASE("1 all findings at once, each with its place and its path") {
    const Inspected found = inspect(TempTree({{"overthink.yml", version + R"(vm:
  web:
    source: {kind: cloud, url: x}
    cpu: "4"
    network: [user]
    libvirt:
      feature: {acpi: true}
      cpu: {topology: {cores: 1.5}}
)"}}));
    CHECK(
        found.findings ==
        R"(overthink.yml:4:20: vm.web.source.kind: expected one of cloud_image|bootc|bootstrap|clone|imported|external, got 'cloud'
overthink.yml:5:10: vm.web.cpu: expected an integer, got '4'
overthink.yml:6:14: vm.web.network: expected a mapping, got list
overthink.yml:8:7: warning: vm.web.libvirt.feature: unknown key, ignored; did you mean "features"?
overthink.yml:9:31: vm.web.libvirt.cpu.topology.cores: expected an integer, got '1.5'
)");
}

TEST_CASE("1 texts keep their source, flags take the usual words") {
    const Inspected found = inspect(TempTree({{"overthink.yml", version + R"(vm:
  web:
    source: {kind: bootc, image: i}
    autostart: yes
    tag: one
    libvirt:
      features: {kvm: {hidden: on}, acpi: false}
      devices:
        hostdevs: [{type: usb, source: {vendor: 0x046d, product: 12}, managed: yes}]
        graphics: [{type: vnc, listen: 127.0.0.1, autoport: yes}, {type: spice, listen: {socket: /s}}]
)"}}));
    CHECK(found.findings == "");
    const ov::VmSpec& spec = *found.project.vms.at("web").spec;
    CHECK(spec.autostart == true);
    CHECK(spec.tag == std::vector<std::string>{"one"});
    CHECK(spec.libvirt.features.kvm.hidden == "on");
    CHECK(spec.libvirt.features.acpi == false);
    CHECK_FALSE(spec.libvirt.features.apic);
    CHECK(spec.libvirt.devices.hostdevs[0].source.at("vendor") == "0x046d");
    CHECK(spec.libvirt.devices.hostdevs[0].source.at("product") == "12");
    CHECK(spec.libvirt.devices.graphics[0].listen == std::vector<ov::vm::Listener>{{"address", "127.0.0.1", "", ""}});
    CHECK(spec.libvirt.devices.graphics[1].listen[0].type == "socket");
}

TEST_CASE("W4, 27 rules between entities") {
    struct Row {
        const char *rule, *text, *finding;
    };
    const Row rows[] = {
        {"an unknown parent", "vm: {a: {source: {kind: clone, from_vm: b, from_snapshot: s}}}",
         "vm.a.source.from_vm: there is no VM entity 'b'"},
        {"a circle",
         "vm: {a: {source: {kind: clone, from_vm: b, from_snapshot: s}}, b: {source: {kind: clone, from_vm: a, from_snapshot: "
         "s}}}",
         "vm.a.source.from_vm: clones in a circle: a -> b -> a"},
        {"a chain", "vm: {a: {source: {kind: clone, from_vm: b, from_snapshot: s}}, b: {source: {kind: bootc, image: i}}}", ""},
        {"a domain of two",
         "vm: {web: {source: {kind: bootc, image: i}}, web-1: {source: {kind: bootc, image: i}}}\ndeploy: {web/1: {target: vm, "
         "vm: web}}",
         "deploy.web/1: instance 1 of 'web' and the entity 'web-1' would share the domain ov-web-1"},
        {"a domain of one", "vm: {web: {source: {kind: bootc, image: i}}}\ndeploy: {web/1: {target: vm, vm: web}}", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        std::string findings;
        for (const ov::Diagnostic& finding :
             ov::validate_vm_names(inspect(TempTree({{"overthink.yml", version + row.text + "\n"}})).project))
            findings += finding.str() + "\n";
        CAPTURE(findings);
        if (*row.finding == '\0')
            CHECK(findings.empty());
        else
            CHECK(findings.find(row.finding) != std::string::npos);
    }
}
