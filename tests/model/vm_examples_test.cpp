// The worked examples of vm-spec.md 16 and 12.
#include <doctest/doctest.h>

#include <algorithm>

#include "model/facts.hpp"
#include "ov/vm_defaults.hpp"
#include "ov/vm_validate.hpp"

namespace {

ov::VmSpec parse(const std::string& text, const std::string& name = "probe") {
    std::vector<ov::Diagnostic> findings;
    ov::VmSpec spec = ov::parse_vm_spec(text, name, "vm.yml", findings);
    for (const ov::Diagnostic& finding : findings) FAIL(finding.str());
    return spec;
}

}  // namespace

TEST_CASE("16 example 1: fifteen errors, each naming what it must") {
    const ov::VmSpec spec =
        parse(R"(source: {kind: bootstrap, builder: pacstrap, url: "https://mirror.invalid/x.qcow2", rootfs: zfs}
firmware: uefi
autostart: true
backend: qemu
ssh: {port: 70000, key_source: keys/me.pub, key_injection: {smbios: maybe}}
network: {mode: bridge, port_forwards: ["8443"]}
libvirt:
  cpu: {mode: custom}
  launch_security: {type: sgx}
  devices:
    filesystems: [{driver: nfs, source: /srv/x}]
    channels: [{type: unix, name: org.qemu.guest_agent.0, path: /home/kim/qga.sock}]
)");
    std::vector<std::string> errors;
    for (const ov::Diagnostic& finding : ov::validate(spec, ov::test::recorded_facts("libvirt-11.3")))
        if (finding.severity == ov::Severity::error) errors.push_back(finding.str());
    struct Row {
        const char *path, *value;
    };
    const Row rows[] = {
        {"source.distro", ""},
        {"source.rootfs", "zfs"},
        {"source.url", ""},
        {"firmware", "'uefi'"},
        {"ssh.port", "70000"},
        {"ssh.key_source", "keys/me.pub"},
        {"ssh.key_injection.smbios", "maybe"},
        {"network.bridge", ""},
        {"network.port_forwards[0]", "8443"},
        {"autostart", "qemu"},
        {"libvirt.cpu.model", ""},
        {"libvirt.launch_security.type", "sgx"},
        {"libvirt.devices.channels[0]", "/home/kim/qga.sock"},
        {"libvirt.devices.filesystems[0]", "target"},
        {"libvirt.devices.filesystems[0].driver", "nfs"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.path));
        CHECK(std::count_if(errors.begin(), errors.end(), [&](const std::string& error) {
                  return error.find("probe") != std::string::npos && error.find(row.path) != std::string::npos &&
                         error.find(row.value) != std::string::npos;
              }) >= 1);
    }
    CHECK(errors.size() == 15);
}

TEST_CASE("16 example 2: the smallest entity and its effective values") {
    const ov::VmSpec spec = parse(R"(source: {kind: cloud_image, url: "https://mirror.invalid/tiny.qcow2"})", "tiny");
    const ov::HostFacts facts = ov::test::recorded_facts("libvirt-11.3");
    for (const ov::Diagnostic& finding : ov::validate(spec, facts)) CHECK_MESSAGE(false, finding.str());
    const ov::VmRuntime runtime = ov::default_runtime(spec, facts, {"/p", "/home/op/.local/share/ov/vm", ""});
    CHECK(runtime.name == "ov-tiny");
    CHECK(runtime.disk == "/p/output/qcow2/tiny/disk.qcow2");
    CHECK(runtime.ram_mb == 4096);
    CHECK(runtime.cpus == 2);
    CHECK(ov::vm::machine_of(spec, facts.arch) == "q35");
    CHECK(ov::vm::firmware_of(spec, facts.arch) == ov::FirmwareMode::bios);
    const auto forwards = ov::vm::forwards_of(spec, runtime);
    REQUIRE(forwards.size() == 1);
    CHECK(forwards[0] == ov::PortForward{"127.0.0.1", 2222, 22, false});
    CHECK(ov::vm::key_source(spec) == "auto");
    CHECK(ov::vm::smbios_channel(spec));
    CHECK(ov::vm::cloud_init_channel(spec));
    CHECK(ov::vm::login_user(spec) == "");
    CHECK(ov::vm::cpu_mode_of(spec, ov::Accelerator::kvm) == "host-passthrough");
    CHECK(ov::vm::nested_feature(spec, facts.cpu_vendor, ov::Accelerator::kvm) == "vmx");
}

TEST_CASE("12 the override's devices come after the entity's, everything else is named as ignored") {
    const ov::VmSpec spec = parse(R"(source: {kind: bootc, image: x}
libvirt: {devices: {hostdevs: [{type: usb, source: {vendor: "0x046d", product: "0xc52b"}}]}}
)");
    std::vector<ov::Diagnostic> findings;
    const ov::InstanceOverride instance = ov::parse_instance_override(R"(disposable: false
libvirt:
  iothreads: 4
  devices:
    filesystems: [{driver: virtiofs, source: /srv/share/lab, target: lab}]
    hostdevs: [{type: pci, managed: "yes", source: {domain: "0x0000", bus: "0x41", slot: "0x00", function: "0x9"}}]
)",
                                                                      "instance.yml", findings);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].str() ==
          "instance.yml:3:3: warning: libvirt.iothreads: ignored: an override adds libvirt.devices.hostdevs and "
          "libvirt.devices.filesystems, nothing else");
    const ov::VmSpec merged = ov::apply_override(spec, instance);
    CHECK(spec.libvirt.devices.hostdevs.size() == 1);
    REQUIRE(merged.libvirt.devices.hostdevs.size() == 2);
    CHECK(merged.libvirt.devices.hostdevs[0].type == "usb");
    CHECK(merged.libvirt.devices.hostdevs[1].type == "pci");
    CHECK(merged.libvirt.devices.filesystems.size() == 1);
    CHECK_FALSE(merged.libvirt.iothreads);
    CHECK(instance.disposable == false);
    // A finding about an appended device points into the override.
    CHECK(merged.where("libvirt.devices.hostdevs[1].source.function").file == "instance.yml");
    CHECK(merged.where("libvirt.devices.hostdevs[1].source.function").line == 6);
    CHECK(merged.where("libvirt.devices.hostdevs[0].type").file == "vm.yml");
    bool found = false;
    for (const ov::Diagnostic& finding : ov::validate(merged, ov::test::recorded_facts("libvirt-11.3")))
        found = found || finding.path == "vm.probe.libvirt.devices.hostdevs[1].source.function";
    CHECK(found);
}
