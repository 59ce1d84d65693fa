// The worked examples of `libvirt-renderer.md` 10, equal up to the order of attributes.
#include "support/render_case.hpp"

namespace {

using namespace ov::test;

std::string golden(const char* name) {
    return read_text(data_directory() / "golden" / "render" / name);
}

ov::VmRuntime atlas_runtime() {
    return runtime_of(golden("atlas.runtime.yml"));
}

std::string lines(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += word + "\n";
    return out;
}

}  // namespace

TEST_CASE("the worked example 10.1 renders to its domain") {
    const std::string xml = ov::render_domain(spec_of(golden("atlas.yml")), facts_of(), atlas_runtime());
    CHECK(canonical(xml) == canonical(golden("atlas.xml")));
}

TEST_CASE("the worked example 10.4 renders to its argv") {
    CHECK(lines(ov::render_argv(spec_of(golden("atlas.yml")), facts_of(), atlas_runtime())) == golden("atlas.argv"));
}

TEST_CASE("the first port of a forward is the host's, the second the guest's") {
    const std::string xml = ov::render_domain(spec_of(golden("atlas.yml")), facts_of(), atlas_runtime());
    CHECK(part(xml, "//interface/portForward[not(@address)]") ==
          canonical(R"(<portForward proto="tcp"><range start="9443" to="443"/></portForward>)"));
    const auto argv = ov::render_argv(spec_of(golden("atlas.yml")), facts_of(), atlas_runtime());
    CHECK(lines(argv).find("hostfwd=tcp::9443-:443") != std::string::npos);
}

TEST_CASE("the worked example 10.2: secure firmware by its paths, with SMM") {
    ov::VmRuntime runtime = runtime_of(
        "{ovmf_code: /usr/share/OVMF/OVMF_CODE_4M.ms.fd, ovmf_vars_template: /usr/share/OVMF/OVMF_VARS_4M.ms.fd, "
        "nvram: /st/nvram.fd, name: ov-atlas}");
    const std::string xml = ov::render_domain(
        spec_of("source: {kind: cloud_image, url: \"https://mirror.invalid/x.qcow2\"}\nfirmware: uefi-secure\n"), facts_of(),
        runtime);
    CHECK(part(xml, "/domain/os|/domain/features") == canonical(R"(
  <os>
    <type arch="x86_64" machine="q35">hvm</type>
    <loader readonly="yes" secure="yes" type="pflash">/usr/share/OVMF/OVMF_CODE_4M.ms.fd</loader>
    <nvram template="/usr/share/OVMF/OVMF_VARS_4M.ms.fd">/st/nvram.fd</nvram>
    <boot dev="hd"/>
  </os>
  <features>
    <acpi/>
    <apic/>
    <smm state="on"/>
  </features>)"));
}

TEST_CASE("the worked example 10.2: a GPU and what hides the hypervisor from its driver") {
    const std::string xml = ov::render_domain(spec_of(R"(
source: {kind: cloud_image, url: "https://mirror.invalid/x.qcow2"}
libvirt:
  features: {kvm: {hidden: on}, hyperv: {vendor_id: {state: on, value: labgpu}}}
  devices:
    hostdevs: [{type: pci, managed: yes, source: {domain: 0x0000, bus: 0x41, slot: 0x00, function: 0x1}, rom: {bar: off}, driver: {name: vfio}}]
)"),
                                              facts_of(), runtime_of("name: ov-atlas"));
    CHECK(part(xml, "//hyperv|//kvm|//hostdev") == canonical(R"(
    <hyperv>
      <vendor_id state="on" value="labgpu"/>
    </hyperv>
    <kvm>
      <hidden state="on"/>
    </kvm>
    <hostdev mode="subsystem" type="pci" managed="yes">
      <driver name="vfio"/>
      <source>
        <address domain="0x0000" bus="0x41" slot="0x00" function="0x1"/>
      </source>
      <rom bar="off"/>
    </hostdev>)"));
}

TEST_CASE("the worked example 10.3: a snippet replaces what may occur once and adds what may occur often") {
    const std::string xml = ov::render_domain(spec_of(R"(
source: {kind: cloud_image, url: "https://mirror.invalid/x.qcow2"}
libvirt:
  cpu: {mode: host-model}
  snippets:
    - <cpu mode="custom"><model>Nehalem</model></cpu>
    - <memory model="dimm"><target><size unit="MiB">256</size></target></memory>
    - <cpu mode="custom"><model>Nehalem</model></cpu>
)"),
                                              facts_of(), runtime_of("name: ov-atlas"));
    CHECK(part(xml, "//cpu") == canonical(R"(<cpu mode="custom"><model>Nehalem</model></cpu>)"));
    CHECK(part(xml, "//memory") == canonical(R"(<memory unit="MiB">4096</memory>
<memory model="dimm"><target><size unit="MiB">256</size></target></memory>)"));
    CHECK(part(xml, "/domain/devices/memory").find("dimm") != std::string::npos);
}
