#include "render/devices/disk_defaults.hpp"

#include <set>

#include "render/words.hpp"

namespace ov::render {

namespace {

/// "a", "b" ... "z", "aa": the letters that libvirt gives to the n-th disk.
std::string letters(std::size_t index) {
    std::string out;
    for (++index; index > 0; index = (index - 1) / 26) out.insert(out.begin(), static_cast<char>('a' + (index - 1) % 26));
    return out;
}

std::string prefix_of(const std::string& bus) {
    if (bus == "virtio") return "vd";
    if (bus == "ide") return "hd";
    if (bus == "fdc") return "fd";
    return "sd";
}

std::string bus_of(const vm::Disk& disk, const std::string& dev) {
    if (const std::string bus = text_of(disk.target, "bus"); !bus.empty()) return bus;
    if (dev.starts_with("vd")) return "virtio";
    if (dev.starts_with("hd")) return "ide";
    if (dev.starts_with("fd") || disk.device == "floppy") return "fdc";
    return dev.starts_with("sd") || disk.device == "cdrom" ? "sata" : "virtio";
}

}  // namespace

std::string disk_format(const vm::Disk& disk) {
    if (const std::string type = text_of(disk.driver, "type"); !type.empty()) return type;
    const std::string file = text_of(disk.source, "file");
    return disk.device != "cdrom" && file.ends_with(".qcow2") ? "qcow2" : "raw";
}

std::vector<DiskTarget> disk_targets(const std::vector<vm::Disk>& disks) {
    std::set<std::string, std::less<>> taken{"vda", "sda"};
    for (const vm::Disk& disk : disks) taken.insert(text_of(disk.target, "dev"));
    std::vector<DiskTarget> targets;
    for (const vm::Disk& disk : disks) {
        DiskTarget target;
        target.dev = text_of(disk.target, "dev");
        target.bus = bus_of(disk, target.dev);
        for (std::size_t i = 0; target.dev.empty(); ++i)
            if (const std::string name = prefix_of(target.bus) + letters(i); taken.insert(name).second) target.dev = name;
        targets.push_back(std::move(target));
    }
    return targets;
}

}  // namespace ov::render
