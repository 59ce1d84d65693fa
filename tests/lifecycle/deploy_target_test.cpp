#include "lifecycle/deploy_target.hpp"

#include <doctest/doctest.h>

namespace {

ov::DeployNode vm_node(const std::string& vm) {
    ov::DeployNode node;
    node.target = "vm";
    node.vm = vm;
    return node;
}

ov::Project project() {
    ov::Project value;
    for (const char* name : {"lab-vm", "web"}) {
        ov::VmEntity& entity = value.vms[name];
        entity.name = name;
        entity.source_kind = "external";
        entity.ssh.host = "10.0.0.1";
    }
    value.vms["made"].name = "made";
    value.vms["made"].source_kind = "cloud_image";
    value.deploys["lab"] = vm_node("lab-vm");
    value.deploys["web/1"] = vm_node("web");
    value.deploys["web/2"] = vm_node("web");
    value.deploys["made"] = vm_node("made");
    value.deploys["pod"].target = "pod";
    value.deploys["lost"] = vm_node("gone");
    return value;
}

}  // namespace

TEST_CASE("a name means one machine (cli-and-config.md 6.2)") {
    struct Row {
        const char *name, *key, *domain, *ledger;
    };
    const Row rows[] = {
        {"lab", "lab", "ov-lab-vm", "vm:lab-vm"},
        {"web/2", "web/2", "ov-web-2", "vm:web/2"},
        {"vm:lab-vm", "vm:lab-vm", "ov-lab-vm", "vm:lab-vm"},
        {"vm:web/1", "vm:web/1", "ov-web-1", "vm:web/1"},
        {"vm:web/7", "vm:web/7", "ov-web-7", "vm:web/7"},
    };
    const ov::Project loaded = project();
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const auto target = ov::resolve_target(loaded, row.name, true);
        CHECK(target.key == row.key);
        CHECK(target.machine.domain() == row.domain);
        CHECK(target.ledger_name() == row.ledger);
    }
}

TEST_CASE("a name that means nothing is an error that says what there is") {
    struct Row {
        const char* name;
        bool for_add;
        const char* says;
    };
    const Row rows[] = {
        {"nope", true, "available deployments: lab, lost, made"},
        {"web", true, "vm:web"},
        {"vm:", true, "no entity"},
        {"vm:nope", true, "defined: lab-vm, made, web"},
        {"lost", true, "no VM entity \"gone\""},
        {"pod", true, "target pod is not supported"},
        {"lab/9", true, "no deploy lab/9"},
    };
    const ov::Project loaded = project();
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::string message;
        try {
            ov::resolve_target(loaded, row.name, row.for_add);
        } catch (const ov::Error& error) {
            message = error.what();
        }
        CAPTURE(message);
        CHECK(message.find(row.says) != std::string::npos);
    }
}

TEST_CASE("a VM that is not external and not defined names `ov vm create` (decisions 1)") {
    const ov::Project loaded = project();
    std::string message;
    try {
        ov::destination_of(ov::resolve_target(loaded, "made", true), {"/home/me", "/home/me/.config", {}});
    } catch (const ov::Error& error) {
        message = error.what();
    }
    CHECK(message.find("ov vm create made") != std::string::npos);
}

TEST_CASE("an external machine's files default below the operator's home (decisions 64)") {
    ov::Project loaded = project();
    loaded.vms["web"].ssh.identity = "~/.ssh/id";
    const auto to = ov::destination_of(ov::resolve_target(loaded, "web/1", true), {"/home/me", "/home/me/.config", {}});
    CHECK(to.identities == std::vector<std::string>{"/home/me/.ssh/id"});
    CHECK(to.known_hosts == std::vector<std::string>{"/home/me/.local/share/ov/vm/ov-web-1/known_hosts"});
    CHECK(to.port == 0);
}
