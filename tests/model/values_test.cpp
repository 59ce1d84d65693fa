// vm-spec.md 10 and the effective values of 2, 4, 5, 11, 6.3.
#include <doctest/doctest.h>

#include "model/facts.hpp"
#include "ov/vm_defaults.hpp"
#include "ov/vm_runtime.hpp"
#include "ov/vm_spec.hpp"

namespace vm = ov::vm;
using ov::test::recorded_facts;

namespace {

ov::VmSpec parse(const std::string& text) {
    std::vector<ov::Diagnostic> findings;
    return ov::parse_vm_spec(text, "m", "vm.yml", findings);
}

}  // namespace

TEST_CASE("10.1 sizes") {
    struct Row {
        const char* text;
        vm::SizeUnit bare;
        std::uint64_t bytes;  ///< 0: refused
    };
    const Row rows[] = {
        {"4G", vm::SizeUnit::mib, 4ULL << 30U},
        {"4096M", vm::SizeUnit::mib, 4ULL << 30U},
        {"4 GiB", vm::SizeUnit::mib, 4ULL << 30U},
        {"4096", vm::SizeUnit::mib, 4ULL << 30U},
        {"4gb", vm::SizeUnit::byte, 4ULL << 30U},
        {"8GiB", vm::SizeUnit::kib, 8ULL << 30U},
        {"8192", vm::SizeUnit::kib, 8ULL << 20U},
        {"10", vm::SizeUnit::byte, 10},
        {"512B", vm::SizeUnit::mib, 512},
        {"1.5G", vm::SizeUnit::mib, 3ULL << 29U},
        {"0.5K", vm::SizeUnit::mib, 512},
        {"1.0B", vm::SizeUnit::mib, 1},
        {"7P", vm::SizeUnit::mib, 7ULL << 50U},
        {"0", vm::SizeUnit::mib, 0},
        {"-1G", vm::SizeUnit::mib, 0},
        {"", vm::SizeUnit::mib, 0},
        {"G", vm::SizeUnit::mib, 0},
        {"4 ", vm::SizeUnit::mib, 0},
        {"4  G", vm::SizeUnit::mib, 0},
        {"4GG", vm::SizeUnit::mib, 0},
        {"4Gi", vm::SizeUnit::mib, 0},
        {"0.3B", vm::SizeUnit::mib, 0},
        {"4.G", vm::SizeUnit::mib, 0},
        {"9000P", vm::SizeUnit::mib, 0},
        {"99999999999999999999", vm::SizeUnit::byte, 0},
        {"1e3", vm::SizeUnit::byte, 0},
        {"0.0000000000000001P", vm::SizeUnit::byte, 0},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.text));
        CHECK(vm::parse_size(row.text, row.bare).value_or(0) == row.bytes);
    }
}

TEST_CASE("10.2, 10.3 words and numbers") {
    CHECK(vm::on_off("yes") == "on");
    CHECK(vm::on_off("FALSE") == "off");
    CHECK(vm::yes_no("on") == "yes");
    CHECK(vm::yes_no("1") == "");
    CHECK(vm::parse_pci_number("0x0a") == 10U);
    CHECK(vm::parse_pci_number("7") == 7U);
    for (const char* bad : {"10", "0x", "a", "0x1g", "-1", ""}) CHECK_FALSE(vm::parse_pci_number(bad));
    CHECK(vm::parse_number("0x30000") == 0x30000U);
    CHECK(vm::parse_number("7") == 7U);
    CHECK_FALSE(vm::parse_number("7 "));
}

TEST_CASE("W6 port forwards") {
    using ov::PortForward;
    CHECK(ov::parse_port_forward("80:8080") == PortForward{"", 80, 8080, false});
    CHECK(ov::parse_port_forward("127.0.0.1:8080:80") == PortForward{"127.0.0.1", 8080, 80, false});
    CHECK(ov::parse_port_forward("53:53/udp") == PortForward{"", 53, 53, true});
    CHECK(ov::parse_port_forward("[::1]:80:80/tcp") == PortForward{"::1", 80, 80, false});
    for (const char* bad : {"80", "80:", ":80", "0:80", "80:65536", "80:80/sctp", "a:80:80", "1.2.3:80:80", "1.2.3.4.5:80:80",
                            "80:80 ", " 80:80", "::1:80:80", "[]:1:1", "080:80", "80:80/"}) {
        CAPTURE(std::string(bad));
        CHECK_FALSE(ov::parse_port_forward(bad));
    }
}

TEST_CASE("W12 the address is stable for the name") {
    CHECK(vm::mac_of(parse("ram: 1G"), "ov-atlas") == "52:54:00:30:9b:63");
    CHECK(vm::mac_of(parse("network: {mac: '52:54:00:00:00:01'}"), "ov-atlas") == "52:54:00:00:00:01");
}

TEST_CASE("2, 11 machine and firmware by architecture") {
    CHECK(vm::machine_of(parse("ram: 1G"), "x86_64") == "q35");
    CHECK(vm::machine_of(parse("ram: 1G"), "aarch64") == "virt");
    CHECK(vm::machine_of(parse("machine: i440fx"), "x86_64") == "pc");
    CHECK(vm::firmware_of(parse("ram: 1G"), "x86_64") == ov::FirmwareMode::bios);
    CHECK(vm::firmware_of(parse("ram: 1G"), "riscv64") == ov::FirmwareMode::uefi);
    CHECK(vm::wants_smm(parse("firmware: uefi-secure"), "x86_64"));
    CHECK_FALSE(vm::wants_smm(parse("firmware: uefi-secure"), "aarch64"));
    const ov::HostFacts facts = recorded_facts("libvirt-11.3");
    CHECK(vm::pick_firmware(facts, ov::FirmwareMode::bios) == nullptr);
    CHECK(vm::pick_firmware(facts, ov::FirmwareMode::uefi)->code == "/usr/share/OVMF/OVMF_CODE_4M.fd");
    CHECK(vm::pick_firmware(facts, ov::FirmwareMode::uefi_secure)->code == "/usr/share/OVMF/OVMF_CODE_4M.ms.fd");
    // An image with Secure Boot and without keys is in setup mode: no choice for either.
    ov::HostFacts setup = facts;
    setup.firmware = {facts.firmware[1]};
    CHECK(vm::pick_firmware(setup, ov::FirmwareMode::uefi) == nullptr);
    CHECK(vm::pick_firmware(setup, ov::FirmwareMode::uefi_secure) == nullptr);
}

TEST_CASE("5 login user and key channels") {
    CHECK(vm::login_user(parse("source: {kind: bootc}")) == "root");
    CHECK(vm::login_user(parse("source: {kind: bootc, base_user: core}")) == "core");
    CHECK(vm::login_user(parse("source: {kind: bootc}\nssh: {user: me}")) == "me");
    CHECK_FALSE(vm::cloud_init_channel(parse("source: {kind: bootc}")));
    CHECK(vm::cloud_init_channel(parse("source: {kind: bootc}\nssh: {key_injection: {cloud_init: enabled}}")));
    CHECK_FALSE(vm::smbios_channel(parse("ssh: {key_injection: {smbios: disabled}}")));
    CHECK(vm::ssh_port(parse("ssh: {port_auto: true}")) == 0);
}

TEST_CASE("38 the CPU without KVM, 4.4 nested virtualisation") {
    CHECK(vm::cpu_mode_of(parse("ram: 1G"), ov::Accelerator::tcg) == "maximum");
    const auto nested = [](const char* text, const char* vendor, ov::Accelerator how = ov::Accelerator::kvm) {
        return std::string(vm::nested_feature(parse(text), vendor, how));
    };
    CHECK(nested("ram: 1G", "AuthenticAMD") == "svm");
    CHECK(nested("ram: 1G", "GenuineIntel") == "vmx");
    CHECK(nested("ram: 1G", "Other") == "");
    CHECK(nested("ram: 1G", "GenuineIntel", ov::Accelerator::tcg) == "");
    CHECK(nested("libvirt: {cpu: {mode: host-model}}", "GenuineIntel") == "");
    CHECK(nested("libvirt: {cpu: {features: [{policy: disable, name: vmx}]}}", "GenuineIntel") == "");
    ov::HostFacts facts = recorded_facts("libvirt-11.3");
    ov::VmRuntime runtime;
    CHECK(vm::accelerator_of(facts, runtime) == ov::Accelerator::kvm);
    runtime.arch = "aarch64";
    CHECK(vm::accelerator_of(facts, runtime) == ov::Accelerator::tcg);
    runtime.accelerator = "kvm";
    CHECK(vm::accelerator_of(facts, runtime) == ov::Accelerator::kvm);
}

TEST_CASE("6.3 id map of a share") {
    ov::HostFacts facts = recorded_facts("libvirt-11.3");
    ov::VmRuntime runtime;
    runtime.host_ids = {1001, 1001, ov::SubIdRange{200000, 65536}, ov::SubIdRange{300000, 65536}};
    const vm::IdMap map = vm::virtiofs_idmap(facts, runtime);
    CHECK(map.uid == std::vector<vm::IdMapRow>{{0, 200000, 1000}, {1000, 1001, 1}, {1001, 201000, 64536}});
    CHECK(map.gid == std::vector<vm::IdMapRow>{{0, 300000, 1000}, {1000, 1001, 1}, {1001, 301000, 64536}});
    ov::VmRuntime small = runtime;
    small.host_ids.subgid = ov::SubIdRange{300000, 1000};
    CHECK(vm::virtiofs_idmap(facts, small).empty());
    ov::VmRuntime root = runtime;
    root.host_ids.uid = 0;
    CHECK(vm::virtiofs_idmap(facts, root).empty());
    CHECK(vm::virtiofs_idmap(recorded_facts("libvirt-9.0"), runtime).empty());
    CHECK(vm::takes_idmap({"", "virtiofs", "", "/s", "t", false, {}}));
    CHECK_FALSE(vm::takes_idmap({"", "virtiofs", "mapped", "/s", "t", false, {}}));
    CHECK_FALSE(vm::takes_idmap({"", "9p", "", "/s", "t", false, {}}));
}

TEST_CASE("43 facts survive writing and reading") {
    for (const char* name : {"libvirt-9.0", "libvirt-9.0-debian", "libvirt-10.0", "libvirt-11.3"}) {
        const ov::HostFacts facts = recorded_facts(name);
        std::vector<ov::Diagnostic> findings;
        const std::string text = ov::to_yaml(facts);
        CAPTURE(text);
        CHECK(ov::parse_host_facts(text, "facts.yml", findings) == facts);
        CHECK(findings.empty());
    }
    std::vector<ov::Diagnostic> findings;
    ov::parse_host_facts("kvm: maybe\nlibvirt: {version: new}\nfirmware: [{vars: x}]\nkvmm: true\n", "facts.yml", findings);
    CHECK(findings.size() == 4);
}

TEST_CASE("13 runtime parameters in YAML are laid over the defaults") {
    ov::VmRuntime base;
    base.name = "ov-m";
    base.ram_mb = 512;
    std::vector<ov::Diagnostic> findings;
    const ov::VmRuntime runtime = ov::parse_vm_runtime(R"(disk: /d.qcow2
ssh_port: 2310
smbios_credentials: [a, b]
host_ids: {uid: 1001, gid: 1001, subuid: {start: 200000, count: 65536}}
qemu_paths: {qmp: /s/qmp.sock}
host_keys: {private: p, public: q}
)",
                                                       "runtime.yml", base, findings);
    for (const ov::Diagnostic& finding : findings) CHECK_MESSAGE(false, finding.str());
    CHECK(runtime.name == "ov-m");
    CHECK(runtime.ram_mb == 512);
    CHECK(runtime.disk == "/d.qcow2");
    CHECK(runtime.host_ids.subuid->start == 200000);
    CHECK(runtime.qemu_paths.qmp == "/s/qmp.sock");
    CHECK(runtime.host_key_private == "p");
    ov::parse_vm_runtime("ssh_prot: 1\nram_mb: 0\n", "runtime.yml", base, findings);
    CHECK(findings.size() == 2);
}

TEST_CASE("versions") {
    CHECK(ov::parse_version("9.0.0-4+deb12u2") == ov::Version{9, 0, 0});
    CHECK(ov::parse_version("11.3") == ov::Version{11, 3, 0});
    CHECK(ov::parse_version("7.2.22 (Debian)") == ov::Version{7, 2, 22});
    CHECK_FALSE(ov::parse_version("v9"));
    CHECK(ov::Version{9, 0, 0} < ov::Version{10, 0, 0});
}

TEST_CASE("places: of a value, of what encloses a missing one, of quoted keys") {
    const ov::VmSpec spec = parse(
        "ram: 1G\nlibvirt:\n  devices:\n    disks:\n      - source: {file: /a}\n      - source: {file: /b}\n  sysinfo:\n    "
        "bios: {'a.b': x}\n");
    CHECK(spec.where("ram") == ov::SourcePosition{"vm.yml", 1, 6});
    CHECK(spec.where("libvirt.devices.disks[1].source.file").line == 6);
    CHECK(spec.where("libvirt.devices.disks[1].target.dev").line == 6);
    CHECK(spec.where("libvirt.devices.disks[7]").line == 5);
    CHECK(spec.where("libvirt.sysinfo.bios.\"a.b\"").column == 19);
    CHECK(spec.where("nothing").line == 1);
    CHECK(spec.full_path("ram") == "vm.m.ram");
}
