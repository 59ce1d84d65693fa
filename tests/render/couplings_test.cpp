// What one part of a domain demands of another, and what goes by the host's facts.
#include "support/render_case.hpp"

#include "ov/vm_defaults.hpp"

namespace {

using namespace ov::test;

std::string body(const std::string& more) {
    return "source: {kind: cloud_image, url: \"https://mirror.invalid/x.qcow2\"}\n" + more;
}

std::string domain(const std::string& more, const std::string& runtime = "{}", const char* facts = "libvirt-11.3.yml") {
    return ov::render_domain(
        spec_of(body(more)), facts_of(facts),
        runtime_of("{name: ov-lab, disk: /lab/disk.qcow2, ram_mb: 1024, state_dir: /st}", runtime_of(runtime)));
}

}  // namespace

TEST_CASE("one row a coupling") {
    struct Row {
        const char *rule, *spec, *xpath, *expected;
    };
    const Row rows[] = {
        {"6.2: virtiofs shares the guest's memory",
         "libvirt: {devices: {filesystems: [{driver: virtiofs, source: /s, target: t}]}}", "//memoryBacking",
         R"(<memoryBacking><source type="memfd"/><access mode="shared"/></memoryBacking>)"},
        {"6.2: what the author set stays",
         "libvirt: {memory_backing: {hugepages: {size: 2M}, source: file, discard: true}, devices: {filesystems: [{driver: "
         "virtiofs, source: /s, "
         "target: t}]}}",
         "//memoryBacking",
         R"(<memoryBacking><hugepages><page size="2048" unit="KiB"/></hugepages><source type="file"/><access mode="shared"/><discard/></memoryBacking>)"},
        {"6.2: no sharing without virtiofs", "libvirt: {devices: {filesystems: [{driver: 9p, source: /s, target: t}]}}",
         "//memoryBacking", ""},
        {"W22: a share from raw XML counts",
         "libvirt: {xml_passthrough: \"<devices><filesystem type='mount'><driver type='virtiofs'/><source dir='/s'/><target "
         "dir='t'/></filesystem></devices>\"}",
         "//memoryBacking", R"(<memoryBacking><source type="memfd"/><access mode="shared"/></memoryBacking>)"},
        {"4.3: secure boot forces SMM", "firmware: uefi-secure", "//smm", R"(<smm state="on"/>)"},
        {"4.8: SMBIOS strings are shown to the guest", "libvirt: {sysinfo: {oem_strings: [lab]}}", "//os/smbios",
         R"(<smbios mode="sysinfo"/>)"},
        {"4.2: no switch without strings", "", "//os/smbios", ""},
        {"5.6: a display gets an adapter", "libvirt: {devices: {graphics: [{type: vnc}]}}", "//video",
         R"(<video><model type="virtio" heads="1"/></video>)"},
        {"5.6: the author's adapter is the only one", "libvirt: {devices: {graphics: [{type: vnc}], video: [{model: vga}]}}",
         "//video", R"(<video><model type="vga"/></video>)"},
        {"USB devices get a controller", "libvirt: {devices: {inputs: [{type: tablet, bus: usb}]}}", "//controller",
         R"(<controller type="usb" model="qemu-xhci"/>)"},
        {"the author's controller is the only one",
         "libvirt: {devices: {usb: [{model: nec-xhci}], inputs: [{type: tablet, bus: usb}]}}", "//controller",
         R"(<controller type="usb" model="nec-xhci"/>)"},
        {"W3: without boot orders the disk is booted", "", "//os/boot|//disk/boot", R"(<boot dev="hd"/>)"},
        {"W3: with one the root disk gets the lowest free", "libvirt: {devices: {disks: [{source: {file: /d}, boot: 1}]}}",
         "//os/boot|//disk/boot", R"(<boot order="2"/><boot order="1"/>)"},
        {"W14: audio ids are numbered", "libvirt: {devices: {audio: [{type: none}, {type: pulse, id: 1}]}}", "//audio",
         R"(<audio id="2" type="none"/><audio id="1" type="pulseaudio"/>)"},
        {"W13: a listener gets a port",
         "libvirt: {devices: {graphics: [{type: spice, listen: 127.0.0.1}], video: [{model: none}]}}", "//graphics",
         R"(<graphics type="spice" autoport="yes"><listen type="address" address="127.0.0.1"/></graphics>)"},
        {"W31: SSH on the loopback address, the author's forwards on all",
         "network: {port_forwards: [\"9443:443\", \"10.0.0.1:53:5353/udp\"]}\n", "//portForward",
         R"(<portForward proto="tcp"><range start="9443" to="443"/></portForward><portForward proto="udp" address="10.0.0.1"><range start="53" to="5353"/></portForward>)"},
        {"W23: relative socket paths lie in the state directory",
         "libvirt: {devices: {channels: [{type: unix, name: a.b.c, path: q.sock}]}}", "//channel/source",
         R"(<source mode="bind" path="/st/q.sock"/>)"},
        {"6.6: variables of socket paths",
         "libvirt: {devices: {channels: [{type: unix, name: a.b.c, path: \"{{ .VmStateDir }}/{{.VmName}}\"}]}}",
         "//channel/source", R"(<source mode="bind" path="/st/ov-lab"/>)"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        CHECK(part(domain(row.spec), row.xpath) == canonical(row.expected));
    }
}

TEST_CASE("6.3: the id map gives the guest's user the operator's files where libvirt knows one") {
    const char* share = "libvirt: {devices: {filesystems: [{driver: virtiofs, source: /s, target: t}]}}";
    const char* ids =
        "{host_ids: {uid: 1001, gid: 1002, subuid: {start: 200000, count: 65536}, subgid: {start: 300000, count: 65536}}}";
    const std::string expected = canonical(R"(<idmap>
  <uid start="0" target="200000" count="1000"/><uid start="1000" target="1001" count="1"/><uid start="1001" target="201000" count="64536"/>
  <gid start="0" target="300000" count="1000"/><gid start="1000" target="1002" count="1"/><gid start="1001" target="301000" count="64536"/>
</idmap>)");
    CHECK(part(domain(share, ids), "//idmap") == expected);
    CHECK(part(domain(share, ids, "libvirt-9.0.yml"), "//idmap").empty());
}

TEST_CASE("forwards go by QEMU's own command line where libvirt refuses passt, with a note") {
    const char* spec = "network: {port_forwards: [\"9443:443\"]}";
    const std::string xml = domain(spec, "{ssh_port: 2310}", "libvirt-9.0-debian.yml");
    CHECK(part(xml, "//interface").empty());
    CHECK(part(xml, "//*[local-name()='arg']") ==
          canonical(
              R"(<qemu:arg value="-netdev"/><qemu:arg value="user,id=n0,hostfwd=tcp:127.0.0.1:2310-:22,hostfwd=tcp::9443-:443"/>
<qemu:arg value="-device"/><qemu:arg value="virtio-net-pci,netdev=n0,mac=)" +
              ov::vm::mac_of(spec_of(body(spec)), "ov-lab") + R"(,bus=pcie.0,addr=0x1c"/>)"));
    const auto notes =
        ov::render_notes(spec_of(body(spec)), facts_of("libvirt-9.0-debian.yml"), runtime_of("{name: ov-lab, ssh_port: 2310}"));
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].severity == ov::Severity::note);
    CHECK(notes[0].message.find("passt") != std::string::npos);
    CHECK(part(domain(spec), "//backend") == canonical(R"(<backend type="passt"/>)"));
}

TEST_CASE("without KVM the domain is emulated and its processor is the most that QEMU emulates") {
    ov::HostFacts facts = facts_of();
    facts.kvm = false;
    const ov::VmRuntime runtime = runtime_of("name: ov-lab");
    const std::string xml = ov::render_domain(spec_of(body("")), facts, runtime);
    CHECK(part(xml, "/domain[@type='qemu']/cpu") == canonical(R"(<cpu mode="maximum" check="none"/>)"));
    CHECK(part(ov::render_domain(spec_of(body("")), facts_of(), runtime), "/domain[@type='kvm']/cpu") ==
          canonical(R"(<cpu mode="host-passthrough" check="none"><feature policy="require" name="svm"/></cpu>)"));
}

TEST_CASE("characters that XML cannot carry never reach a document") {
    ov::VmSpec spec = spec_of(body(""));
    for (const char* text : {"a\x01", "\xff", "\xed\xa0\x80", "\xef\xbf\xbf"}) {
        spec.libvirt.sysinfo.oem_strings = {text};
        CHECK_THROWS_AS(ov::render_domain(spec, facts_of(), runtime_of("name: ov-lab")), ov::SpecError);
    }
}

TEST_CASE("socket paths that must have a directory are read back from the domain") {
    const std::string xml = domain(
        "libvirt: {devices: {channels: [{type: unix, name: a.b.c, path: /run/a/q}, {type: unix, name: d.e.f}], graphics: [{type: "
        "vnc, "
        "listen: {type: socket, socket: /run/b/v}}]}}");
    CHECK(ov::socket_paths(xml) == std::vector<std::string>{"/run/a/q", "/run/b/v"});
}
