#include "backend/gpu_inspect.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

namespace ov {

namespace {

namespace fs = std::filesystem;

std::string read_trimmed(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

std::string link_name(const fs::path& path) {
    std::error_code missing;
    return fs::read_symlink(path, missing).filename().string();
}

/// "0x10de" -> "10de".
std::string_view bare(std::string_view id) {
    return id.starts_with("0x") ? id.substr(2) : id;
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code missing;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, missing))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

PciDevice read_device(const fs::path& folder) {
    PciDevice device;
    device.address = folder.filename().string();
    device.vendor = read_trimmed(folder / "vendor");
    device.device = read_trimmed(folder / "device");
    device.class_code = read_trimmed(folder / "class").substr(0, 6);
    device.driver = link_name(folder / "driver");
    const std::string group = link_name(folder / "iommu_group");
    int number = -1;
    if (std::from_chars(group.data(), group.data() + group.size(), number).ec == std::errc()) device.group = number;
    return device;
}

struct Address {
    std::string domain, bus, slot, function;
};

/// DDDD:BB:SS.F; the text of the parts is kept.
std::optional<Address> split_address(const std::string& text) {
    const std::size_t first = text.find(':');
    const std::size_t second = first == std::string::npos ? first : text.find(':', first + 1);
    if (second == std::string::npos || text.find(':', second + 1) != std::string::npos) return std::nullopt;
    const std::size_t dot = text.find('.', second);
    if (dot == std::string::npos) return std::nullopt;
    return Address{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1, dot - second - 1),
                   text.substr(dot + 1)};
}

std::string member_line(const PciDevice& device) {
    return fmt::format("{}  {}:{}  {}", device.address, bare(device.vendor), bare(device.device), class_label(device.class_code));
}

std::string memlock_line(std::uint64_t limit, std::uint64_t needed) {
    constexpr std::uint64_t gib = 1ULL << 30U, unlimited = 1ULL << 62U;
    const std::uint64_t wanted = needed == 0 ? 16 * gib : needed + gib;  // the device's own mappings beside the guest's memory
    if (limit >= unlimited) return "memlock:  unlimited\n";
    if (limit >= wanted) return fmt::format("memlock:  ok ({} MiB)\n", limit >> 20U);
    return fmt::format(
        "memlock:  TOO LOW ({} MiB, {} MiB wanted): a guest with a PCI device locks all of its memory\n"
        "          write \"@kvm - memlock unlimited\" to /etc/security/limits.d/90-vfio.conf and log in again,\n"
        "          or for the running daemon: prlimit --pid $(pidof virtqemud) --memlock=unlimited\n",
        limit >> 20U, wanted >> 20U);
}

}  // namespace

std::string class_label(const std::string& class_code) {
    static const std::map<std::string, std::string> labels{{"0x0300", "VGA controller"},     {"0x0302", "3D controller"},
                                                           {"0x0380", "Display controller"}, {"0x0403", "Audio device"},
                                                           {"0x0604", "PCI bridge"},         {"0x0c03", "USB controller"}};
    const auto found = labels.find(class_code);
    return found == labels.end() ? class_code : found->second;
}

GpuReport inspect_gpus(const GpuRoots& roots) {
    const fs::path sysfs(roots.sysfs);
    GpuReport report;
    report.iommu = !names_in(sysfs / "kernel/iommu_groups").empty();
    const std::string command_line = read_trimmed(roots.command_line);
    if (command_line.find("intel_iommu=on") != std::string::npos)
        report.iommu_kind = "intel";
    else if (command_line.find("amd_iommu=on") != std::string::npos)
        report.iommu_kind = "amd";
    report.vfio_pci = fs::exists(sysfs / "bus/pci/drivers/vfio-pci") || fs::exists(sysfs / "module/vfio_pci");
    std::map<std::string, PciDevice> devices;
    for (const std::string& address : names_in(sysfs / "bus/pci/devices"))
        devices.emplace(address, read_device(sysfs / "bus/pci/devices" / address));
    for (const auto& [address, device] : devices) {
        if (!device.is_gpu()) continue;
        Gpu gpu{device, {}};
        if (device.group >= 0)
            for (const std::string& name : names_in(sysfs / "kernel/iommu_groups" / std::to_string(device.group) / "devices"))
                if (const auto member = devices.find(name); member != devices.end()) gpu.members.push_back(member->second);
        if (gpu.members.empty()) gpu.members.push_back(device);
        report.gpus.push_back(std::move(gpu));
    }
    return report;
}

std::string hostdevs_block(const GpuReport& report) {
    if (report.gpus.empty()) return "# no GPU on this host\n";
    std::string text;
    for (std::size_t i = 0; i < report.gpus.size(); ++i) {
        const Gpu& gpu = report.gpus[i];
        text += fmt::format("# GPU {}: {}\n", i, member_line(gpu.device));
        text += gpu.device.group < 0 ? "# no IOMMU group: without an IOMMU no guest can get it\n"
                                     : fmt::format("# IOMMU group {}, all of it goes to the guest:\n", gpu.device.group);
        std::string items;
        for (const PciDevice& member : gpu.members) {
            const auto address = split_address(member.address);
            std::string why;
            if (member.is_bridge()) why = "  (left out: bridges stay with the host)";
            if (!address) why = "  (left out: this is no PCI address)";
            text += fmt::format("#   {}{}\n", member_line(member), why);
            if (!why.empty()) continue;
            items += fmt::format(
                "  - type: pci\n    managed: \"yes\"\n    source:\n      domain: \"0x{}\"\n      bus: \"0x{}\"\n      slot: "
                "\"0x{}\"\n      function: \"0x{}\"\n",
                address->domain, address->bus, address->slot, address->function);
        }
        text += items.empty() ? "# nothing of it can go to a guest\n" : "hostdevs:\n" + items;
    }
    text +=
        "# Paste it below libvirt: devices: of the VM (or of its instance.yml); such a VM needs\n"
        "# firmware: uefi-insecure\n";
    return text;
}

std::string gpu_status(const GpuReport& report, const GpuRoots& roots, std::uint64_t memlock, std::uint64_t needed) {
    std::string text = "GPU passthrough on this host\n";
    if (report.iommu)
        text += fmt::format("IOMMU:    enabled ({})\n", report.iommu_kind.empty() ? "unknown vendor" : report.iommu_kind);
    else
        text += "IOMMU:    disabled: add intel_iommu=on (Intel) or amd_iommu=on (AMD) and iommu=pt to the kernel's arguments\n";
    text += report.vfio_pci ? "vfio-pci: available\n" : "vfio-pci: not loaded: modprobe vfio-pci\n";
    text += memlock_line(memlock, needed);
    if (report.gpus.empty()) return text + "no GPU on this host\n";
    for (const Gpu& gpu : report.gpus) {
        const PciDevice& device = gpu.device;
        text += fmt::format("{}  driver={}  ", member_line(device), device.driver.empty() ? "unbound" : device.driver);
        if (device.group < 0) {
            text += "no IOMMU group\n";
            continue;
        }
        const std::string node = fmt::format("{}/{}", roots.vfio, device.group);
        const bool usable = access(node.c_str(), R_OK | W_OK) == 0;
        text += fmt::format("group {} ({} device{})  {}\n", device.group, gpu.members.size(), gpu.members.size() == 1 ? "" : "s",
                            usable ? node + " is usable" : node + " is not accessible: ov udev install");
    }
    return text;
}

}  // namespace ov
