// `ov host facts`: programs that answer as the real ones do.
#include "backend/host_probe.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/run_loop.hpp"
#include "support/temp_tree.hpp"

using ov::test::TempTree;

namespace {

constexpr const char* capabilities = R"(<capabilities><guest><os_type>hvm</os_type><arch name='x86_64'>
<machine maxCpus='255'>pc-i440fx-7.2</machine><machine canonical='pc-q35-7.2' maxCpus='288'>q35</machine>
<domain type='qemu'/><domain type='kvm'><machine canonical='pc-i440fx-7.2'>pc</machine></domain></arch></guest>
<guest><os_type>hvm</os_type><arch name='i686'><machine>isapc</machine><domain type='xen'/></arch></guest></capabilities>)";

std::string domain_capabilities(const std::string& interface) {
    return "<domainCapabilities><devices><graphics supported='yes'><enum "
           "name='type'><value>vnc</value><value>spice</value></enum>"
           "</graphics><video supported='yes'><enum name='modelType'><value>virtio</value></enum></video><tpm supported='no'/>" +
           interface + "</devices></domainCapabilities>";
}

/// Folders of programs and files of a host.
class FakeHost {
public:
    void program(const std::string& name, const std::string& script) {
        tree_.write("bin/" + name, "#!/bin/sh\n" + script + "\n");
        chmod(tree_.path("bin/" + name).c_str(), 0755);
    }
    void virsh(const std::string& version, const std::string& interface, const std::string& native) {
        tree_.write("capabilities", capabilities);
        tree_.write("domcapabilities", domain_capabilities(interface));
        program("virsh",
                "[ \"$1 $2\" = '--quiet --connect' ] || exit 9\ncase $4 in\n"
                "version) echo 'Using library: libvirt 99.0.0'; echo 'Running against daemon: " +
                    version +
                    "';;\n"
                    "capabilities) cat " +
                    tree_.path("capabilities") +
                    ";;\n"
                    "domcapabilities) cat " +
                    tree_.path("domcapabilities") +
                    ";;\n"
                    "domxml-to-native) grep -q passt && " +
                    native + ";;\nesac");
    }
    ov::HostProbeResult probe(const std::string& connect = "qemu:///system") {
        ov::HostProbeResult result;
        ov::HostProbe how{connect, tree_.path(), {tree_.path("bin"), "/usr/bin", "/bin"}};
        ov::test::run([&]() -> asio::awaitable<void> { result = co_await ov::probe_host(how, ov::Deadline::unlimited("test")); });
        return result;
    }
    TempTree& tree() { return tree_; }

private:
    TempTree tree_{
        {{"proc/cpuinfo", "vendor_id : GenuineIntel\nflags : fpu vmx\n"}, {"etc/os-release", "ID=debian\n"}, {"bin/.keep", ""}}};
};

}  // namespace

TEST_CASE("QEMU's list of machines") {
    CHECK(ov::machines_of_help(
              "Supported machines are:\nmicrovm              microvm (i386)\npc                   Standard PC (alias of x)\n"
              "none                 empty machine\n") == std::vector<std::string>{"microvm", "pc"});
}

TEST_CASE("libvirt before 10.6 is asked about passt with a document") {
    FakeHost host;
    host.virsh("9.0.0", "", "{ echo \"error: Invalid value for attribute 'type' in element 'backend': 'passt'\" >&2; exit 1; }");
    const ov::HostProbeResult debian = host.probe();
    REQUIRE(debian.facts.libvirt);
    CHECK(debian.facts.libvirt->version == ov::Version{9, 0, 0});
    CHECK(debian.facts.libvirt->uri == "qemu:///system");
    CHECK_FALSE(debian.facts.libvirt->passt);
    CHECK(debian.facts.libvirt->domain_types == std::vector<std::string>{"qemu", "kvm"});
    CHECK(debian.facts.libvirt->machines == std::vector<std::string>{"pc", "pc-i440fx-7.2", "pc-q35-7.2", "q35"});
    CHECK(debian.facts.libvirt->devices.at("graphics") == std::vector<std::string>{"vnc", "spice"});
    CHECK_FALSE(debian.facts.libvirt->devices.contains("tpm"));
    host.virsh("9.0.0", "", "echo /usr/bin/qemu-system-x86_64");
    CHECK(host.probe().facts.libvirt->passt);
}

TEST_CASE("libvirt from 10.6 on says it in the domain capabilities") {
    FakeHost host;
    host.virsh(
        "11.3.0",
        "<interface supported='yes'><enum name='backendType'><value>default</value><value>passt</value></enum></interface>",
        "exit 1");
    CHECK(host.probe().facts.libvirt->passt);
    host.virsh("11.3.0", "<interface supported='yes'><enum name='backendType'><value>default</value></enum></interface>", "true");
    CHECK_FALSE(host.probe().facts.libvirt->passt);
}

TEST_CASE("a daemon that does not answer is a fact, said in a note") {
    FakeHost host;
    host.program("virsh", "echo 'error: failed to connect to the hypervisor' >&2; exit 1");
    const ov::HostProbeResult result = host.probe();
    CHECK_FALSE(result.facts.libvirt);
    bool said = false;
    for (const std::string& note : result.notes)
        said = said || note == "qemu:///system does not answer: error: failed to connect to the hypervisor";
    CHECK(said);
}

TEST_CASE("KVM needs the device and the CPU") {
    FakeHost host;
    CHECK_FALSE(host.probe().facts.kvm);
    host.tree().write("dev/kvm", "");
    CHECK(host.probe().facts.kvm);
    host.tree().write("proc/cpuinfo", "vendor_id : GenuineIntel\nflags : fpu\n");
    const ov::HostProbeResult result = host.probe();
    CHECK_FALSE(result.facts.kvm);
    CHECK(result.notes.front().find("neither vmx nor svm") != std::string::npos);
}
