// What a host's hypervisor cannot take: the support table and the facts (libvirt-renderer.md W34, decisions 12, 25, 38).
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "model/rows.hpp"
#include "ov/vm_features.hpp"

using ov::Severity;
using ov::test::check_rows;
using ov::test::recorded_facts;
using ov::test::RuleRow;

#define DEVICES(text) "libvirt: {devices: {" text "}}"

namespace {

/// Something of every part that depends on the host.
constexpr const char* demanding = R"(firmware: uefi-secure
network: {port_forwards: ["9443:443"]}
libvirt:
  cpu: {mode: host-passthrough}
  launch_security: {type: sev-snp, policy: 0x30000}
  devices:
    interfaces: [{port_forwards: [{start: 8080, to: 80}]}]
    graphics: [{type: rdp}, {type: spice}]
    sound: [{model: virtio}]
    watchdog: [{model: itco, action: reset}, {model: i6300esb, action: reset}]
    panic: [{model: pvpanic}]
    tpm: [{}]
    hostdevs: [{type: pci, managed: yes, source: {domain: 0, bus: 1, slot: 0, function: 0}, driver: {name: vfio, model: vfio-pci, iommufd: yes}}]
    filesystems:
      - {driver: virtiofs, source: /srv/a, target: a}
      - {driver: virtiofs, source: /srv/b, target: b, readonly: true}
      - {driver: 9p, source: /srv/c, target: c, readonly: true}
)";

}  // namespace

TEST_CASE("libvirt 9.0 as released: what is too new for it") {
    const RuleRow rows[] = {
        {"27 sound virtio", DEVICES("sound: [{model: virtio}]"), "libvirt.devices.sound[0].model",
         "needs libvirt 10.4, this host's libvirt is 9.0"},
        {"35 itco", DEVICES("watchdog: [{model: itco}]"), "libvirt.devices.watchdog[0].model", "9.1"},
        {"35 a second watchdog", DEVICES("watchdog: [{model: i6300esb}, {model: ib700}]"), "libvirt.devices.watchdog[1]", "9.1"},
        {"39 pvpanic", DEVICES("panic: [{model: pvpanic}]"), "libvirt.devices.panic[0].model", "9.1"},
        {"41 sev-snp", "libvirt: {launch_security: {type: sev-snp, policy: 1}}", "libvirt.launch_security.type", "10.5"},
        {"41 tdx", "libvirt: {launch_security: {type: tdx}}", "libvirt.launch_security.type", "11.6"},
        {"30 driver model",
         "firmware: uefi-insecure\n" DEVICES(
             "hostdevs: [{type: pci, source: {domain: 0, bus: 1, slot: 0, function: 0}, driver: {name: vfio, model: x}}]"),
         "libvirt.devices.hostdevs[0].driver.model", "10.0"},
        {"25 rdp", DEVICES("graphics: [{type: rdp}]"), "libvirt.devices.graphics[0].type", "11.1"},
        {"31 virtiofs in a session", DEVICES("filesystems: [{driver: virtiofs, source: /s, target: t}]"),
         "libvirt.devices.filesystems[0].driver", "9p"},
        {"31 virtiofs readonly", DEVICES("filesystems: [{driver: virtiofs, source: /s, target: t, readonly: true}]"),
         "libvirt.devices.filesystems[0].readonly", "11.0"},
        {"31 virtiofs not readonly", DEVICES("filesystems: [{driver: 9p, source: /s, target: t, readonly: true}]"), ""},
        {"7 all of kvm", "libvirt: {features: {kvm: {hidden: on, pv_ipi: on, dirty_ring_size: 4096}}}", ""},
        {"6 all of hyperv", "libvirt: {features: {hyperv: {relaxed: on, evmcs: on}}}", ""},
    };
    check_rows(rows, recorded_facts("libvirt-9.0"));
}

TEST_CASE("Debian 12: no passt, no KVM, no swtpm") {
    const RuleRow rows[] = {
        {"5 forwards go another way", "network: {port_forwards: ['9443:443']}", "network", "refuses passt", Severity::note},
        {"21 an interface's own forwards", DEVICES("interfaces: [{port_forwards: [{start: 80}]}]"),
         "libvirt.devices.interfaces[0].port_forwards",
         "needs passt; this host's libvirt 9.0 refuses passt; use network.port_forwards"},
        {"38 KVM is said to be missing", "ram: 1G", "", "", Severity::note},
        {"38 host-passthrough", "libvirt: {cpu: {mode: host-passthrough}}", "libvirt.cpu.mode", "needs KVM"},
        {"38 an unset mode", "libvirt: {cpu: {check: none}}", ""},
        {"34 swtpm", DEVICES("tpm: [{}]"), "libvirt.devices.tpm[0]", "swtpm"},
        {"25 a display this QEMU lacks", DEVICES("graphics: [{type: rdp}]"), "libvirt.devices.graphics[0].type", "11.1"},
    };
    check_rows(rows, recorded_facts("libvirt-9.0-debian"));
}

TEST_CASE("facts that miss something") {
    ov::HostFacts facts = recorded_facts("libvirt-11.3");
    facts.firmware.clear();
    facts.virtiofsd.clear();
    facts.libvirt->devices["graphics"] = {"vnc"};
    const RuleRow rows[] = {
        {"11.1 no image", "firmware: uefi-secure", "firmware", "Secure Boot image with enrolled keys for x86_64; install ovmf"},
        {"31 no virtiofsd", DEVICES("filesystems: [{driver: virtiofs, source: /s, target: t}]"),
         "libvirt.devices.filesystems[0].driver", "virtiofsd is not installed"},
        {"25 spice is no longer built", DEVICES("graphics: [{type: spice}]"), "libvirt.devices.graphics[0].type", "it has vnc"},
    };
    check_rows(rows, facts);
    facts.libvirt.reset();
    const RuleRow without_libvirt[] = {
        {"a pinned backend", "backend: libvirt", "backend", "no libvirt daemon answers"},
        {"auto takes QEMU", "backend: auto\nautostart: true", "autostart", "qemu"},
    };
    check_rows(without_libvirt, facts);
    facts.arch = "aarch64";
    const RuleRow arm[] = {
        {"W7 BIOS on Arm", "firmware: bios", "firmware", "uefi-insecure"},
        {"W15 images by architecture", "ram: 1G", "firmware", "qemu-efi-aarch64"},
    };
    check_rows(arm, facts);
}

TEST_CASE("9 the QEMU backend names what its arguments cannot say, each block once") {
    const RuleRow rows[] = {
        {"graphics", "backend: qemu\n" DEVICES("graphics: [{type: spice}]"), "libvirt.devices.graphics", "backend: libvirt",
         Severity::warning},
        {"filesystems", "backend: qemu\n" DEVICES("filesystems: [{driver: virtiofs, source: /s, target: t}]"),
         "libvirt.devices.filesystems", "", Severity::warning},
        {"clock", "backend: qemu\nlibvirt: {clock: {offset: utc}}", "libvirt.clock", "", Severity::warning},
        {"spicevmc", "backend: qemu\n" DEVICES("graphics: [{type: spice}], channels: [{type: spicevmc}]"),
         "libvirt.devices.channels[0].type", "", Severity::warning},
        {"other channels", "backend: qemu\n" DEVICES("channels: [{type: unix, name: x}]"), "libvirt.devices.channels[0]",
         "guest agent", Severity::warning},
        {"the agent's channel", "backend: qemu\n" DEVICES("channels: [{type: unix, name: org.qemu.guest_agent.0}]"), ""},
        {"nat", "backend: qemu\nnetwork: {mode: nat}", "network.mode", "user mode", Severity::warning},
        {"topology is said", "backend: qemu\ncpu: 4\nlibvirt: {cpu: {topology: {cores: 4}}}", ""},
        {"a bus", "backend: qemu\n" DEVICES("disks: [{source: {file: /d}, target: {bus: scsi}}]"),
         "libvirt.devices.disks[0].target.bus", "scsi", Severity::warning},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
    const auto findings = ov::test::findings_of("backend: qemu\n" DEVICES("graphics: [{type: spice, gl: no, port: 5900}]"),
                                                recorded_facts("libvirt-11.3"));
    CHECK(std::count_if(findings.begin(), findings.end(),
                        [](const auto& f) { return f.path.find("graphics") != std::string::npos; }) == 1);
}

TEST_CASE("the same spec on four hosts, side by side") {
    const char* hosts[] = {"libvirt-9.0", "libvirt-9.0-debian", "libvirt-10.0", "libvirt-11.3"};
    std::map<std::string, std::map<std::string, std::string>> table;
    std::map<std::string, int> errors;
    for (const char* host : hosts)
        for (const ov::Diagnostic& finding : ov::test::findings_of(demanding, recorded_facts(host))) {
            const char* word = finding.severity == Severity::error     ? "error"
                               : finding.severity == Severity::warning ? "warning"
                                                                       : "note";
            table[fmt::format("{:>3} {}", finding.where.line, finding.path)][host] = word;
            errors[host] += finding.severity == Severity::error;
        }
    std::string text = fmt::format("\n{:<58}{:>12}{:>20}{:>14}{:>14}\n", "line, path", hosts[0], hosts[1], hosts[2], hosts[3]);
    for (const auto& [path, row] : table) {
        const auto cell = [&](const char* host) { return row.contains(host) ? row.at(host) : std::string("-"); };
        text +=
            fmt::format("{:<58}{:>12}{:>20}{:>14}{:>14}\n", path, cell(hosts[0]), cell(hosts[1]), cell(hosts[2]), cell(hosts[3]));
    }
    text += fmt::format("{:<58}{:>12}{:>20}{:>14}{:>14}", "errors", errors[hosts[0]], errors[hosts[1]], errors[hosts[2]],
                        errors[hosts[3]]);
    MESSAGE(text);
    CHECK(errors["libvirt-9.0"] > errors["libvirt-10.0"]);
    CHECK(errors["libvirt-9.0-debian"] > errors["libvirt-10.0"]);
    CHECK(errors["libvirt-10.0"] > errors["libvirt-11.3"]);
    // iommufd needs 12.1, later than all four.
    CHECK(errors["libvirt-11.3"] == 1);
}

TEST_CASE("every key below libvirt: has a row in the support table") {
    for (const ov::VmField& field : ov::vm_fields()) {
        if (!field.path.starts_with("libvirt.")) continue;
        CAPTURE(field.path);
        bool covered = false;
        for (const ov::VmFeature& feature : ov::vm_features()) {
            const std::string_view path = feature.path;
            covered = covered ||
                      (field.path.starts_with(path) &&
                       (field.path.size() == path.size() || field.path[path.size()] == '.' || field.path[path.size()] == '['));
        }
        CHECK(covered);
    }
}

TEST_CASE("docs/render-support.md is what the table says") {
    const char* data = std::getenv("OV_TEST_DATA");
    const std::string path = std::string(data ? data : "tests") + "/../docs/render-support.md";
    if (std::getenv("OV_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << ov::render_support_page();
    std::ifstream file(path);
    const std::string page((std::istreambuf_iterator<char>(file)), {});
    CHECK_MESSAGE(page == ov::render_support_page(), "run this test with OV_UPDATE_GOLDEN=1 and commit docs/render-support.md");
}
