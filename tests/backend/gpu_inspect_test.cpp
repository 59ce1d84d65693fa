// vm-spec.md 14, W17: sysfs trees of hosts with GPUs.
#include "backend/gpu_inspect.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "model/facts.hpp"
#include "ov/render.hpp"
#include "ov/vm_validate.hpp"
#include "support/temp_tree.hpp"

using ov::test::TempTree;

namespace {

struct Device {
    const char *address, *vendor, *device, *class_code, *driver;
    int group;
};

/// A sysfs with these devices.
class Host {
public:
    Host(std::initializer_list<Device> devices, const std::string& command_line, bool vfio = true)
        : tree_({{"cmdline", command_line + "\n"}, {"sys/kernel/mm", ""}}) {
        namespace fs = std::filesystem;
        const fs::path sys = fs::path(tree_.path()) / "sys";
        for (const Device& d : devices) {
            const std::string at = "sys/bus/pci/devices/" + std::string(d.address);
            tree_.write(at + "/vendor", std::string(d.vendor) + "\n");
            tree_.write(at + "/device", std::string(d.device) + "\n");
            tree_.write(at + "/class", std::string(d.class_code) + "\n");
            if (*d.driver) fs::create_symlink("../../drivers/" + std::string(d.driver), tree_.path(at + "/driver"));
            if (d.group < 0) continue;
            const std::string group = "kernel/iommu_groups/" + std::to_string(d.group);
            fs::create_directories(sys / group / "devices");
            fs::create_symlink("../../../../" + group, tree_.path(at + "/iommu_group"));
            fs::create_symlink("../../../../devices/" + std::string(d.address), sys / group / "devices" / d.address);
        }
        if (vfio) fs::create_directories(sys / "bus/pci/drivers/vfio-pci");
        fs::create_directories(sys / "kernel/iommu_groups");
        roots_ = {tree_.path("sys"), tree_.path("cmdline"), tree_.path("vfio")};
    }
    const ov::GpuRoots& roots() const { return roots_; }
    ov::GpuReport report() const { return ov::inspect_gpus(roots_); }
    const TempTree& tree() const { return tree_; }

private:
    TempTree tree_;
    ov::GpuRoots roots_;
};

const Host& intel_host() {
    static const Host host({{"0000:01:00.0", "0x10de", "0x2204", "0x030000", "nouveau", 16},
                            {"0000:01:00.1", "0x10de", "0x1aef", "0x040300", "snd_hda_intel", 16},
                            {"0000:00:01.0", "0x8086", "0x1901", "0x060400", "pcieport", 16},
                            {"0000:00:1f.3", "0x8086", "0xa348", "0x040300", "", 9}},
                           "quiet intel_iommu=on iommu=pt");
    return host;
}

}  // namespace

TEST_CASE("14 a GPU, its group sorted by address, the bridge left out with a reason") {
    const ov::GpuReport report = intel_host().report();
    CHECK(report.iommu);
    CHECK(report.iommu_kind == "intel");
    CHECK(report.vfio_pci);
    REQUIRE(report.gpus.size() == 1);
    REQUIRE(report.gpus[0].members.size() == 3);
    CHECK(report.gpus[0].members[0].is_bridge());
    CHECK(ov::hostdevs_block(report) == R"(# GPU 0: 0000:01:00.0  10de:2204  VGA controller
# IOMMU group 16, all of it goes to the guest:
#   0000:00:01.0  8086:1901  PCI bridge  (left out: bridges stay with the host)
#   0000:01:00.0  10de:2204  VGA controller
#   0000:01:00.1  10de:1aef  Audio device
hostdevs:
  - type: pci
    managed: "yes"
    source:
      domain: "0x0000"
      bus: "0x01"
      slot: "0x00"
      function: "0x0"
  - type: pci
    managed: "yes"
    source:
      domain: "0x0000"
      bus: "0x01"
      slot: "0x00"
      function: "0x1"
# Paste it below libvirt: devices: of the VM (or of its instance.yml); such a VM needs
# firmware: uefi-insecure
)");
}

TEST_CASE("14 the printed block pasted into YAML is the whole group") {
    std::string text = "source: {kind: cloud_image, url: 'https://x'}\nfirmware: uefi-insecure\nlibvirt:\n  devices:\n";
    std::string block = ov::hostdevs_block(intel_host().report());
    for (std::size_t begin = 0; begin < block.size();) {
        const std::size_t end = block.find('\n', begin);
        text += "    " + block.substr(begin, end - begin) + "\n";
        begin = end + 1;
    }
    std::vector<ov::Diagnostic> findings;
    const ov::VmSpec spec = ov::parse_vm_spec(text, "m", "vm.yml", findings);
    CHECK(findings.empty());
    REQUIRE(spec.libvirt.devices.hostdevs.size() == 2);
    CHECK(spec.libvirt.devices.hostdevs[1].source.at("function") == "0x1");
    CHECK(spec.libvirt.devices.hostdevs[0].managed == "yes");

    const ov::HostFacts facts = ov::test::recorded_facts("libvirt-11.3");
    for (const ov::Diagnostic& finding : ov::validate(spec, facts)) CHECK_MESSAGE(false, finding.str());
    const std::string xml = ov::render_domain(spec, facts, ov::default_runtime(spec, facts, {"/p", "/s", ""}));
    std::size_t devices = 0;
    for (std::size_t at = xml.find("<hostdev "); at != std::string::npos; at = xml.find("<hostdev ", at + 1)) ++devices;
    CHECK(devices == 2);
    CHECK(xml.find("managed=\"yes\"") != std::string::npos);
    for (const char* function : {"0x0", "0x1"})
        CHECK(xml.find("bus=\"0x01\" slot=\"0x00\" function=\"" + std::string(function) + "\"") != std::string::npos);
}

TEST_CASE("14 AMD with two GPUs, one unbound and alone") {
    const Host host({{"0000:41:00.0", "0x1002", "0x73bf", "0x030000", "vfio-pci", 3},
                     {"0000:0a:00.0", "0x1002", "0x7340", "0x038000", "", 4}},
                    "amd_iommu=on");
    host.tree().write("vfio/3", "");
    const ov::GpuReport report = host.report();
    CHECK(report.iommu_kind == "amd");
    REQUIRE(report.gpus.size() == 2);
    CHECK(report.gpus[0].device.address == "0000:0a:00.0");
    const std::string status = ov::gpu_status(report, host.roots(), ~0ULL, 0);
    CHECK(status.find("IOMMU:    enabled (amd)\n") != std::string::npos);
    CHECK(status.find("memlock:  unlimited\n") != std::string::npos);
    CHECK(status.find("0000:0a:00.0  1002:7340  Display controller  driver=unbound  group 4 (1 device)") != std::string::npos);
    CHECK(status.find("/4 is not accessible: ov udev install") != std::string::npos);
    CHECK(status.find("driver=vfio-pci  group 3 (1 device)  " + host.roots().vfio + "/3 is usable") != std::string::npos);
}

TEST_CASE("14 without an IOMMU the listing goes on and says so") {
    const Host host({{"0000:01:00.0", "0x10de", "0x2204", "0x030200", "", -1}}, "quiet", false);
    const ov::GpuReport report = host.report();
    CHECK_FALSE(report.iommu);
    CHECK(report.iommu_kind.empty());
    CHECK_FALSE(report.vfio_pci);
    CHECK(ov::hostdevs_block(report).find("# no IOMMU group") != std::string::npos);
    const std::string status = ov::gpu_status(report, host.roots(), 1ULL << 30U, 0);
    CHECK(status.find("IOMMU:    disabled: add intel_iommu=on (Intel) or amd_iommu=on (AMD) and iommu=pt") != std::string::npos);
    CHECK(status.find("modprobe vfio-pci") != std::string::npos);
    CHECK(status.find("TOO LOW (1024 MiB, 16384 MiB wanted)") != std::string::npos);
    CHECK(status.find("no IOMMU group") != std::string::npos);
    // W17: a VM's own memory decides when one is named.
    CHECK(ov::gpu_status(report, host.roots(), 4ULL << 30U, 2ULL << 30U).find("memlock:  ok (4096 MiB)") != std::string::npos);
}

TEST_CASE("14 no GPU") {
    const Host host({{"0000:00:1f.3", "0x8086", "0xa348", "0x040300", "", 9}}, "");
    CHECK(ov::hostdevs_block(host.report()) == "# no GPU on this host\n");
    CHECK(ov::gpu_status(host.report(), host.roots(), 0, 0).find("no GPU on this host") != std::string::npos);
    CHECK(ov::gpu_status(host.report(), host.roots(), 0, 0).find("enabled (unknown vendor)") != std::string::npos);
}
