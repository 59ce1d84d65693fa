// `libvirt.devices.hostdevs` and `filesystems` (`vm-spec.md` 9, W10, `libvirt-renderer.md` W15, W16, decisions 23, 24, 32).
#include <map>
#include <set>

#include "model/vm_check.hpp"

namespace ov {

namespace {

struct AddressPart {
    std::string_view key;
    std::uint32_t most;
};

/// The address as numbers for comparison, empty when something is wrong with it.
std::string check_pci(VmCheck& check, const vm::Hostdev& device, const std::string& path) {
    check.only(path + ".source", device.source, {"domain", "bus", "slot", "function"}, "type: pci");
    constexpr AddressPart parts[] = {{"domain", 0xffff}, {"bus", 0xff}, {"slot", 0x1f}, {"function", 7}};
    std::string address;
    bool good = true;
    for (const AddressPart& part : parts) {
        const std::string_view text = vm::value_of(device.source, part.key);
        if (text.empty()) {
            check.error(path, fmt::format("the key source.{} is missing: `ov vm gpu list` prints the whole block", part.key));
            good = false;
            continue;
        }
        const auto number = vm::parse_pci_number(text);
        if (!number || *number > part.most) {
            check.error(fmt::format("{}.source.{}", path, part.key),
                        number ? fmt::format("source.{} '{}' is above {:#x}", part.key, text, part.most)
                               : fmt::format("source.{}: expected 0x and hex digits or one digit, got '{}'", part.key, text));
            good = false;
            continue;
        }
        address += fmt::format("{:x}:", *number);
    }
    if (check.firmware == FirmwareMode::bios) {
        const std::string text = "a PCI device of the host with firmware: bios seldom starts; use firmware: uefi-insecure";
        check.libvirt() ? check.warning(path, text) : check.error(path, text);
    }
    return good ? address : std::string();
}

void check_usb(VmCheck& check, const vm::Hostdev& device, const std::string& path) {
    check.only(path + ".source", device.source, {"vendor", "product"}, "type: usb");
    for (const std::string_view key : {"vendor", "product"}) {
        const std::string_view text = vm::value_of(device.source, key);
        if (!check.need(path, fmt::format("source.{}", key), text, "four hex digits like 0x046d (lsusb prints them)")) continue;
        const auto number = vm::parse_number(text);
        if (!text.starts_with("0x") || !number || *number > 0xffff)
            check.error(fmt::format("{}.source.{}", path, key),
                        fmt::format("expected 0x and up to four hex digits, got '{}'", text));
    }
}

void check_scsi(VmCheck& check, const vm::Hostdev& device, const std::string& path) {
    check.only(path + ".source", device.source, {"adapter", "bus", "target", "unit"}, "type: scsi");
    const std::string_view adapter = vm::value_of(device.source, "adapter");
    if (check.need(path, "source.adapter", adapter, "the host's adapter, like scsi_host0") && !adapter.starts_with("scsi_host"))
        check.error(path + ".source.adapter", fmt::format("expected a name like scsi_host0, got '{}'", adapter));
    for (const std::string_view key : {"bus", "target", "unit"}) {
        const std::string_view text = vm::value_of(device.source, key);
        if (check.need(path, fmt::format("source.{}", key), text, "a number (lsscsi prints them)"))
            check.number(fmt::format("{}.source.{}", path, key), text, 0, 16383);
    }
}

void check_mdev(VmCheck& check, const vm::Hostdev& device, const std::string& path) {
    check.only(path + ".source", device.source, {"uuid", "model"}, "type: mdev");
    const std::string_view uuid = vm::value_of(device.source, "uuid");
    if (check.need(path, "source.uuid", uuid, "the mediated device") &&
        (uuid.size() != 36 || uuid.find_first_not_of("0123456789abcdefABCDEF-") != std::string_view::npos))
        check.error(path + ".source.uuid", fmt::format("expected a UUID, got '{}'", uuid));
    check.one_of(path + ".source.model", vm::value_of(device.source, "model"), {"vfio-pci", "vfio-ccw", "vfio-ap"});
}

void check_hostdev(VmCheck& check, const vm::Hostdev& device, const std::string& path, std::map<std::string, std::string>& pci) {
    if (device.type.empty()) check.error(path, "the key type is missing: pci, usb, scsi or mdev");
    check.one_of(path + ".type", device.type, {"pci", "usb", "scsi", "mdev"});
    if (!device.mode.empty() && device.mode != "subsystem")
        check.error(path + ".mode", fmt::format("expected subsystem, got '{}': QEMU takes no others", device.mode));
    if (!device.managed.empty() && !vm::parse_flag(device.managed))
        check.error(path + ".managed", fmt::format("expected yes or no, got '{}'", device.managed));
    if (device.type == "pci") {
        const std::string address = check_pci(check, device, path);
        if (const auto [holder, is_new] = pci.emplace(address, path); !address.empty() && !is_new)
            check.error(path, fmt::format("the PCI address is already given to {}", holder->second));
    }
    if (device.type == "usb") check_usb(check, device, path);
    if (device.type == "scsi") check_scsi(check, device, path);
    if (device.type == "mdev") check_mdev(check, device, path);
    const auto rom = [&](std::string_view key) { return vm::value_of(device.rom, key); };
    check.flag(path + ".rom.bar", rom("bar"));
    check.flag(path + ".rom.enabled", rom("enabled"));
    check.absolute_path(path + ".rom.file", rom("file"));
    check.refuse(path + ".rom", device.type != "pci" && !device.rom.empty(), "is for type: pci only");
    check.refuse(path + ".driver", device.type != "pci" && !device.driver.empty(), "is for type: pci only");
    if (vm::parse_flag(rom("enabled")) == false && (!rom("bar").empty() || !rom("file").empty()))
        check.error(path + ".rom", "enabled: no stands alone");
    check.one_of(path + ".driver.name", vm::value_of(device.driver, "name"), {"vfio"});
    check.flag(path + ".driver.iommufd", vm::value_of(device.driver, "iommufd"));
}

void check_share(VmCheck& check, const vm::Filesystem& share, const std::string& path, std::map<std::string, std::string>& tags) {
    check.one_of(path + ".type", share.type, {"mount", "block", "file", "template"});
    if (!share.type.empty() && share.type != "mount")
        check.error(path + ".type", fmt::format("QEMU shares directories only, not '{}'; use type: mount", share.type));
    check.one_of(path + ".driver", share.driver, {"virtiofs", "9p", "path"});
    check.one_of(path + ".accessmode", share.accessmode, {"passthrough", "mapped", "squash"});
    const bool virtiofs = share.driver == "virtiofs";
    if (virtiofs && (share.accessmode == "mapped" || share.accessmode == "squash"))
        check.error(path + ".accessmode", "virtiofs knows passthrough only; use driver: 9p for other modes");
    if (check.need(path, "source", share.source, "the directory on the host"))
        check.absolute_path(path + ".source", share.source);
    // Longer tags are cut or refused by the device, not by libvirt.
    const std::size_t longest = virtiofs ? 36 : 31;
    if (check.need(path, "target", share.target, "the tag that the guest mounts")) {
        if (share.target.size() > longest)
            check.error(path + ".target",
                        fmt::format("a tag has at most {} bytes, '{}' has {}", longest, share.target, share.target.size()));
        if (share.target.find('/') != std::string::npos)
            check.error(path + ".target", fmt::format("'{}': the target is a tag, not a path in the guest", share.target));
        const auto [holder, is_new] = tags.emplace(share.target, path);
        if (!is_new) check.error(path + ".target", fmt::format("the tag '{}' is taken by {}", share.target, holder->second));
    }
    check.refuse(path + ".binary", !virtiofs && !share.binary.empty(), "is for driver: virtiofs only");
    const auto binary = [&](std::string_view key) { return vm::value_of(share.binary, key); };
    check.absolute_path(path + ".binary.path", binary("path"));
    check.flag(path + ".binary.xattr", binary("xattr"));
    check.one_of(path + ".binary.cache", binary("cache"), {"none", "always"});
    check.one_of(path + ".binary.sandbox", binary("sandbox"), {"namespace", "chroot"});
    check.number(path + ".binary.thread_pool", binary("thread_pool"), 0, 1024);
}

}  // namespace

void check_hostdevs(VmCheck& check) {
    std::map<std::string, std::string> pci;
    const auto& devices = check.spec.libvirt.devices.hostdevs;
    for (std::size_t i = 0; i < devices.size(); ++i)
        check_hostdev(check, devices[i], item_path("libvirt.devices.hostdevs", i), pci);
}

void check_filesystems(VmCheck& check) {
    std::map<std::string, std::string> tags;
    const auto& shares = check.spec.libvirt.devices.filesystems;
    for (std::size_t i = 0; i < shares.size(); ++i)
        check_share(check, shares[i], item_path("libvirt.devices.filesystems", i), tags);
}

}  // namespace ov
