// `libvirt.devices.disks` and `interfaces` (`vm-spec.md` 9, `libvirt-renderer.md` W3, W4, W9, W10).
#include <algorithm>
#include <map>

#include "model/vm_check.hpp"

namespace ov {

namespace {

/// Something that only one device may have, and who has it.
class Unique {
public:
    explicit Unique(VmCheck& check) : check_(check) {}
    void take(const std::string& path, const std::string& value, std::string_view what) {
        const auto [holder, is_new] = taken_.emplace(value, path);
        if (!is_new) check_.error(path, fmt::format("the {} '{}' is taken by {}", what, value, holder->second));
    }

private:
    VmCheck& check_;
    std::map<std::string, std::string> taken_;
};

void check_disk_source(VmCheck& check, const vm::Disk& disk, const std::string& path, const std::string& type, bool removable) {
    const std::string source = path + ".source";
    const auto get = [&](std::string_view key) { return vm::value_of(disk.source, key); };
    if (type == "file") {
        check.only(source, disk.source, {"file"}, "type: file");
        // An empty drive is a drive.
        if (!removable) check.need(path, "source.file", get("file"), "the image's path");
        check.absolute_path(source + ".file", get("file"));
    } else if (type == "block") {
        check.only(source, disk.source, {"dev"}, "type: block");
        if (!removable) check.need(path, "source.dev", get("dev"), "the host's block device");
        check.absolute_path(source + ".dev", get("dev"));
    } else if (type == "volume") {
        check.only(source, disk.source, {"pool", "volume"}, "type: volume");
        check.need(path, "source.pool", get("pool"), "the storage pool");
        check.need(path, "source.volume", get("volume"), "the volume's name");
    } else if (type == "network") {
        check.only(source, disk.source, {"protocol", "name", "host", "port"}, "type: network");
        if (check.need(path, "source.protocol", get("protocol"), "nbd, rbd, iscsi, ..."))
            check.one_of(source + ".protocol", get("protocol"),
                         {"nbd", "rbd", "sheepdog", "gluster", "iscsi", "http", "https", "ftp", "ftps", "tftp", "ssh", "nfs"});
        if (get("protocol") != "nbd") check.need(path, "source.name", get("name"), "the volume's name on the server");
        check.need(path, "source.host", get("host"), "the server");
        check.number(source + ".port", get("port"), 1, 65535);
    }
}

void check_disk_driver(VmCheck& check, const vm::Disk& disk, const std::string& path, std::string_view bus) {
    const std::string driver = path + ".driver";
    const auto get = [&](std::string_view key) { return vm::value_of(disk.driver, key); };
    check.one_of(driver + ".name", get("name"), {"qemu"});
    check.one_of(driver + ".type", get("type"),
                 {"raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx", "parallels", "dmg", "cloop", "bochs", "luks"});
    check.one_of(driver + ".cache", get("cache"), {"default", "none", "writethrough", "writeback", "directsync", "unsafe"});
    check.one_of(driver + ".io", get("io"), {"threads", "native", "io_uring"});
    check.one_of(driver + ".discard", get("discard"), {"unmap", "ignore"});
    check.one_of(driver + ".error_policy", get("error_policy"), {"stop", "report", "ignore", "enospace"});
    if (get("io") == "native" && get("cache") != "none" && get("cache") != "directsync")
        check.error(driver + ".io", "native needs cache: none or cache: directsync");
    if (const auto thread = check.number(driver + ".iothread", get("iothread"), 1, 1024)) {
        const long long available = check.spec.libvirt.iothreads.value_or(0);
        if (*thread > available)
            check.error(driver + ".iothread",
                        fmt::format("there is no iothread {}: libvirt.iothreads is {}", *thread, available));
        if (bus != "virtio" && !bus.empty()) check.error(driver + ".iothread", "is for disks on the bus virtio only");
    }
}

void check_disk(VmCheck& check, const vm::Disk& disk, const std::string& path) {
    check.one_of(path + ".type", disk.type, {"file", "block", "network", "volume"});
    check.one_of(path + ".device", disk.device, {"disk", "cdrom", "floppy", "lun"});
    const std::string type = disk.type.empty() ? "file" : disk.type;
    const bool removable = disk.device == "cdrom" || disk.device == "floppy";
    check_disk_source(check, disk, path, type, removable);
    const std::string_view bus = vm::value_of(disk.target, "bus");
    check.one_of(path + ".target.bus", bus, {"virtio", "sata", "scsi", "usb", "ide", "fdc"});
    if (bus == "ide" && vm::is_q35(check.machine)) check.error(path + ".target.bus", "q35 machines have no IDE; use sata");
    if ((bus == "fdc") != (disk.device == "floppy") && !bus.empty())
        check.error(path + ".target.bus", "fdc is the bus of floppy drives, and their only one");
    if (disk.device == "cdrom" && bus == "virtio") check.error(path + ".target.bus", "a virtio disk cannot be a cdrom; use sata");
    if (disk.device == "lun") {
        const bool iscsi = type == "network" && vm::value_of(disk.source, "protocol") == "iscsi";
        if (type != "block" && !iscsi) check.error(path + ".device", "lun needs a block device of the host (type: block)");
        if (bus != "scsi") check.error(path + ".device", "lun needs target.bus: scsi");
    }
    if (!disk.wwn.empty()) {
        if (disk.wwn.size() != 16 || disk.wwn.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
            check.error(path + ".wwn", fmt::format("expected 16 hex digits, got '{}'", disk.wwn));
        if (bus != "scsi" && bus != "ide") check.error(path + ".wwn", "only disks on the buses scsi and ide have one");
    }
    constexpr std::string_view serial_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+ -";
    if (disk.serial.find_first_not_of(serial_characters) != std::string::npos)
        check.error(path + ".serial", fmt::format("'{}' has characters other than A-Z a-z 0-9 _ . + - and blanks", disk.serial));
    check.in_range(path + ".boot", disk.boot, 0, 65535);
    check_disk_driver(check, disk, path, bus);
}

void check_nic_source(VmCheck& check, const vm::Interface& nic, const std::string& path, const std::string& type) {
    const auto get = [&](std::string_view key) { return vm::value_of(nic.source, key); };
    if (type == "bridge") {
        check.only(path + ".source", nic.source, {"bridge"}, "type: bridge");
        check.need(path, "source.bridge", get("bridge"), "the host's bridge");
    } else if (type == "network") {
        check.only(path + ".source", nic.source, {"network"}, "type: network");
        check.need(path, "source.network", get("network"), "the libvirt network");
    } else if (type == "direct") {
        check.only(path + ".source", nic.source, {"dev", "mode"}, "type: direct");
        check.need(path, "source.dev", get("dev"), "the host's network device");
        check.one_of(path + ".source.mode", get("mode"), {"vepa", "bridge", "private", "passthrough"});
    } else if (type == "user") {
        check.only(path + ".source", nic.source, {}, "type: user");
    }
}

void check_nic_driver(VmCheck& check, const vm::Interface& nic, const std::string& path) {
    const std::string driver = path + ".driver";
    const auto get = [&](std::string_view key) { return vm::value_of(nic.driver, key); };
    if (!nic.driver.empty() && vm::nic_model_xml(nic.model) != "virtio")
        check.error(driver, "driver options are for the model virtio only");
    if (!nic.driver.empty() && nic.model.empty())
        check.error(path, "the key model is missing: driver options need model: virtio");
    check.one_of(driver + ".name", get("name"), {"qemu", "vhost"});
    check.one_of(driver + ".txmode", get("txmode"), {"iothread", "timer"});
    for (const std::string_view key : {"ioeventfd", "event_idx", "iommu", "ats", "packed"})
        check.flag(fmt::format("{}.{}", driver, key), get(key));
    check.number(driver + ".queues", get("queues"), 1, 256);
    for (const std::string_view key : {"rx_queue_size", "tx_queue_size"}) {
        const auto size = check.number(fmt::format("{}.{}", driver, key), get(key), 256, 1024);
        if (size && (*size & (*size - 1)) != 0)
            check.error(fmt::format("{}.{}", driver, key), fmt::format("expected a power of two, got {}", *size));
    }
}

void check_nic(VmCheck& check, const vm::Interface& nic, const std::string& path) {
    check.one_of(path + ".type", nic.type, {"user", "bridge", "network", "direct"});
    const std::string type = nic.type.empty() ? "user" : nic.type;
    check_nic_source(check, nic, path, type);
    if (nic.model.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != std::string::npos)
        check.error(path + ".model", fmt::format("'{}' is no model name", nic.model));
    if (nic.mtu.value_or(0) != 0) {
        check.in_range(path + ".mtu", nic.mtu, 68, 65535);
        check.refuse(path + ".mtu", type == "user" || type == "direct",
                     fmt::format("libvirt does not set the MTU of type {}; use type bridge or network", type));
    }
    check.in_range(path + ".boot", nic.boot, 0, 65535);
    check_nic_driver(check, nic, path);
    for (std::size_t i = 0; i < nic.port_forwards.size(); ++i) {
        const vm::InterfaceForward& forward = nic.port_forwards[i];
        const std::string item = item_path(path + ".port_forwards", i);
        if (type != "user") check.error(item, "ports are forwarded on interfaces of type user only");
        check.one_of(item + ".proto", forward.proto, {"tcp", "udp"});
        if (!forward.start)
            check.error(item, "the key start is missing: the host's port");
        else
            check.in_range(item + ".start", forward.start, 1, 65535);
        check.in_range(item + ".to", forward.to, 0, 65535);
    }
}

}  // namespace

void check_disks(VmCheck& check) {
    const vm::Devices& devices = check.spec.libvirt.devices;
    Unique targets(check), boots(check);
    std::map<std::string, std::string> ours{{"vda", "the root disk"}};
    if (vm::cloud_init_channel(check.spec) || check.spec.cloud_init) ours.emplace("sda", "the cloud-init seed");
    for (std::size_t i = 0; i < devices.disks.size(); ++i) {
        const vm::Disk& disk = devices.disks[i];
        const std::string path = item_path("libvirt.devices.disks", i);
        check_disk(check, disk, path);
        const std::string dev(vm::value_of(disk.target, "dev"));
        if (!dev.empty()) {
            if (dev.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") != std::string::npos)
                check.error(path + ".target.dev", fmt::format("'{}' is no device name like vdb", dev));
            else if (const auto holder = ours.find(dev); holder != ours.end())
                check.error(path + ".target.dev", fmt::format("the target '{}' is taken by {}", dev, holder->second));
            else
                targets.take(path + ".target.dev", dev, "target");
        }
        if (disk.boot.value_or(0) > 0) boots.take(path + ".boot", std::to_string(*disk.boot), "boot order");
    }
    for (std::size_t i = 0; i < devices.interfaces.size(); ++i)
        if (const auto order = devices.interfaces[i].boot.value_or(0); order > 0)
            boots.take(item_path("libvirt.devices.interfaces", i) + ".boot", std::to_string(order), "boot order");
}

void check_interfaces(VmCheck& check) {
    const auto& nics = check.spec.libvirt.devices.interfaces;
    Unique addresses(check);
    if (!check.spec.network.mac.empty()) addresses.take("network.mac", check.spec.network.mac, "address");
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const std::string path = item_path("libvirt.devices.interfaces", i);
        check_nic(check, nics[i], path);
        if (!nics[i].mac.empty() && check.mac(path + ".mac", nics[i].mac)) {
            std::string lower = nics[i].mac;
            std::transform(lower.begin(), lower.end(), lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
            addresses.take(path + ".mac", lower, "address");
        }
    }
}

}  // namespace ov
