// The small devices (`vm-spec.md` 9, `libvirt-renderer.md` 5.9, W14, W17, W18).
#include <algorithm>
#include <set>

#include "model/vm_check.hpp"

namespace ov {

namespace {

const std::string root = "libvirt.devices.";

void check_inputs(VmCheck& check, const vm::Devices& devices) {
    for (std::size_t i = 0; i < devices.inputs.size(); ++i) {
        const vm::Input& input = devices.inputs[i];
        const std::string path = item_path(root + "inputs", i);
        if (check.need(path, "type", input.type, "tablet, mouse or keyboard"))
            check.one_of(path + ".type", input.type, {"tablet", "mouse", "keyboard"});
        check.one_of(path + ".bus", input.bus, {"ps2", "usb", "virtio"});
        if (input.type == "tablet" && input.bus == "ps2")
            check.error(path + ".bus", "there are no PS/2 tablets; use usb or virtio");
    }
}

void check_usb_devices(VmCheck& check, const vm::Devices& devices) {
    bool without = false;
    for (std::size_t i = 0; i < devices.usb.size(); ++i) {
        const vm::UsbController& usb = devices.usb[i];
        const std::string path = item_path(root + "usb", i);
        if (check.need(path, "model", usb.model, "the controller, like qemu-xhci"))
            check.one_of(path + ".model", usb.model,
                         {"qemu-xhci", "nec-xhci", "ehci", "ich9-ehci1", "ich9-uhci1", "ich9-uhci2", "ich9-uhci3", "piix3-uhci",
                          "piix4-uhci", "vt82c686b-uhci", "pci-ohci", "none"});
        if (usb.port.value_or(0) != 0) {
            check.in_range(path + ".port", usb.port, 1, 15);
            check.refuse(path + ".port", usb.model != "qemu-xhci" && usb.model != "nec-xhci",
                         "only xhci controllers have a number of ports to choose");
        }
        without = without || usb.model == "none";
        if (usb.model == "none" && devices.usb.size() > 1) check.error(path + ".model", "none stands alone");
    }
    const bool usb_input =
        std::any_of(devices.inputs.begin(), devices.inputs.end(), [](const auto& i) { return i.bus == "usb"; });
    const bool usb_host =
        std::any_of(devices.hostdevs.begin(), devices.hostdevs.end(), [](const auto& d) { return d.type == "usb"; });
    if (without && (usb_input || usb_host || !devices.redirdev.empty() || !devices.hub.empty()))
        check.error(root + "usb", "model: none leaves no USB, and there are USB devices; use qemu-xhci");
    for (std::size_t i = 0; i < devices.redirdev.size(); ++i) {
        const vm::Redirdev& device = devices.redirdev[i];
        const std::string path = item_path(root + "redirdev", i);
        check.one_of(path + ".bus", device.bus, {"usb"});
        if (device.type == "tcp")
            check.error(path + ".type", "tcp has no place for its address here; use spicevmc, or libvirt.snippets");
        else
            check.one_of(path + ".type", device.type, {"spicevmc"});
        if ((device.type.empty() || device.type == "spicevmc") && !check.has_graphics("spice"))
            check.error(path, "USB redirection needs a display: add {type: spice} to libvirt.devices.graphics");
    }
    for (std::size_t i = 0; i < devices.hub.size(); ++i) {
        const std::string path = item_path(root + "hub", i);
        if (check.need(path, "type", devices.hub[i].type, "usb")) check.one_of(path + ".type", devices.hub[i].type, {"usb"});
    }
}

void check_rng_and_tpm(VmCheck& check, const vm::Devices& devices) {
    for (std::size_t i = 0; i < devices.rng.size(); ++i) {
        const vm::Rng& rng = devices.rng[i];
        const std::string path = item_path(root + "rng", i);
        check.one_of(path + ".model", rng.model, {"virtio", "virtio-transitional", "virtio-non-transitional"});
        if (rng.backend == "egd")
            check.error(path + ".backend", "egd has no place for its address here; use /dev/urandom or builtin");
        if (!rng.backend.empty() && rng.backend != "egd" && rng.backend != "builtin")
            check.absolute_path(path + ".backend", rng.backend);
        if (rng.rate == vm::RngRate{}) continue;
        if (!rng.rate.bytes)
            check.error(path + ".rate", "the key bytes is missing: how much in each period");
        else
            check.in_range(path + ".rate.bytes", rng.rate.bytes, 1, 1LL << 40U);
        check.in_range(path + ".rate.period", rng.rate.period, 1, 1LL << 40U);
    }
    if (devices.tpm.size() > 1) check.error(item_path(root + "tpm", 1), "a machine has one TPM");
    for (std::size_t i = 0; i < devices.tpm.size(); ++i) {
        const vm::Tpm& tpm = devices.tpm[i];
        const std::string path = item_path(root + "tpm", i);
        check.one_of(path + ".model", tpm.model, {"tpm-crb", "tpm-tis", "tpm-spapr"});
        if (tpm.model == "tpm-spapr" && !check.arch.starts_with("ppc64"))
            check.error(path + ".model", fmt::format("is for pSeries machines, this is {}", check.arch));
        const auto get = [&](std::string_view key) { return vm::value_of(tpm.backend, key); };
        check.one_of(path + ".backend.type", get("type"), {"emulator", "passthrough"});
        check.one_of(path + ".backend.version", get("version"), {"1.2", "2.0"});
        const bool passthrough = get("type") == "passthrough";
        if (get("version") == "1.2" && (tpm.model.empty() || tpm.model == "tpm-crb"))
            check.error(path + ".backend.version", "tpm-crb speaks 2.0 only; use model: tpm-tis for 1.2");
        check.refuse(path + ".backend.version", passthrough && !get("version").empty(), "the host's own TPM has its version");
        check.refuse(path + ".backend.path", !passthrough && !get("path").empty(), "is for type: passthrough only");
        check.absolute_path(path + ".backend.path", get("path"));
    }
}

void check_watchdog_and_balloon(VmCheck& check, const vm::Devices& devices) {
    for (std::size_t i = 0; i < devices.watchdog.size(); ++i) {
        const vm::Watchdog& watchdog = devices.watchdog[i];
        const std::string path = item_path(root + "watchdog", i);
        if (check.need(path, "model", watchdog.model, "i6300esb, ib700 or itco"))
            check.one_of(path + ".model", watchdog.model, {"i6300esb", "ib700", "diag288", "itco"});
        check.one_of(path + ".action", watchdog.action, {"reset", "shutdown", "poweroff", "pause", "none", "dump", "inject-nmi"});
        if (watchdog.model == "itco" && !vm::is_q35(check.machine))
            check.error(path + ".model", "itco is part of q35; use i6300esb");
        if (watchdog.model == "diag288" && check.arch != "s390x")
            check.error(path + ".model", fmt::format("is for s390x machines, this is {}", check.arch));
    }
    if (!devices.memballoon) return;
    const vm::Memballoon& balloon = *devices.memballoon;
    const std::string path = root + "memballoon";
    if (check.need(path, "model", balloon.model, "virtio or none"))
        check.one_of(path + ".model", balloon.model, {"virtio", "virtio-transitional", "virtio-non-transitional", "none"});
    check.flag(path + ".autodeflate", balloon.autodeflate);
    check.in_range(path + ".stats.period", balloon.stats.period, 0, 1'000'000);
    const bool more = !balloon.autodeflate.empty() || balloon.stats.period;
    check.refuse(path + ".model", balloon.model == "none" && more,
                 "none stands alone: there is nothing to deflate or to measure");
}

void check_shmem(VmCheck& check, const vm::Devices& devices) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < devices.shmem.size(); ++i) {
        const vm::Shmem& shmem = devices.shmem[i];
        const std::string path = item_path(root + "shmem", i);
        if (check.need(path, "name", shmem.name, "the memory's name on the host") && shmem.name.find('/') != std::string::npos)
            check.error(path + ".name", fmt::format("'{}' must not contain a slash", shmem.name));
        if (!shmem.name.empty() && !names.insert(shmem.name).second)
            check.error(path + ".name", fmt::format("'{}' is listed twice", shmem.name));
        check.one_of(path + ".role", shmem.role, {"master", "peer"});
        const std::string_view model = vm::value_of(shmem.model, "type");
        if (model == "ivshmem")
            check.error(path + ".model.type", "QEMU has ivshmem-plain and ivshmem-doorbell");
        else
            check.one_of(path + ".model.type", model, {"ivshmem-plain", "ivshmem-doorbell"});
        const bool doorbell = model == "ivshmem-doorbell";
        const auto size = check.size(path + ".size", shmem.size, vm::SizeUnit::mib);
        if (size && (*size < (1U << 20U) || (*size & (*size - 1)) != 0))
            check.error(path + ".size", fmt::format("expected a power of two of at least 1M, got '{}'", shmem.size));
        check.refuse(path + ".size", doorbell && !shmem.size.empty(), "with ivshmem-doorbell the server says how much");
        if (model.empty()) check.error(path, "the key model.type is missing: ivshmem-plain or ivshmem-doorbell");
        if (model == "ivshmem-plain") check.need(path, "size", shmem.size, "a power of two of at least 1M");
        check.refuse(path + ".server", !doorbell && !shmem.server.empty(), "is for model: {type: ivshmem-doorbell}");
        if (doorbell) check.need(path, "server.path", vm::value_of(shmem.server, "path"), "the socket of ivshmem-server");
        check.socket_path(path + ".server.path", vm::value_of(shmem.server, "path"), "path");
    }
}

void check_iommu(VmCheck& check, const vm::Iommu& iommu) {
    const std::string path = root + "iommu";
    if (check.need(path, "model", iommu.model, "intel, virtio or smmuv3"))
        check.one_of(path + ".model", iommu.model, {"intel", "virtio", "smmuv3"});
    const auto get = [&](std::string_view key) { return vm::value_of(iommu.driver, key); };
    for (const std::string_view key : {"intremap", "caching_mode", "eim", "iotlb"})
        check.flag(fmt::format("{}.driver.{}", path, key), get(key));
    if (const std::string_view width = get("aw_bits"); !width.empty())
        check.one_of(path + ".driver.aw_bits", width, {"39", "48"});
    check.refuse(path + ".driver", iommu.model != "intel" && !iommu.driver.empty(), "is for the model intel only");
    if (iommu.model == "intel" && !vm::is_q35(check.machine)) check.error(path + ".model", "intel needs machine: q35");
    if (iommu.model == "smmuv3" && !vm::is_arm64(check.arch))
        check.error(path + ".model", fmt::format("is for Arm machines, this is {}", check.arch));
    const bool remaps = vm::parse_flag(get("intremap")) == true;
    const vm::Hypervisor& libvirt = check.spec.libvirt;
    const bool ioapic = libvirt.xml_passthrough.find("ioapic") != std::string::npos ||
                        std::any_of(libvirt.snippets.begin(), libvirt.snippets.end(),
                                    [](const std::string& s) { return s.find("ioapic") != std::string::npos; });
    if (remaps && !ioapic)
        check.error(path + ".driver.intremap",
                    "interrupt remapping needs <ioapic driver='qemu'/> among the features; bring them as a snippet");
    if (vm::parse_flag(get("eim")) == true && !remaps) check.error(path + ".driver.eim", "needs intremap: on");
}

void check_rest(VmCheck& check, const vm::Devices& devices) {
    if (devices.vsock) {
        const std::string path = root + "vsock";
        check.one_of(path + ".model", devices.vsock->model, {"virtio", "virtio-transitional", "virtio-non-transitional"});
        const std::string_view automatic = vm::value_of(devices.vsock->cid, "auto");
        const std::string_view address = vm::value_of(devices.vsock->cid, "address");
        check.flag(path + ".cid.auto", automatic);
        check.number(path + ".cid.address", address, 3, 4'294'967'294);
        if (vm::parse_flag(automatic) == false && address.empty())
            check.error(path + ".cid", "auto: no needs an address of at least 3");
    }
    for (std::size_t i = 0; i < devices.panic.size(); ++i) {
        const vm::Panic& panic = devices.panic[i];
        const std::string path = item_path(root + "panic", i);
        check.one_of(path + ".model", panic.model, {"isa", "pseries", "hyperv", "s390", "pvpanic"});
        if (panic.model == "pseries" && !check.arch.starts_with("ppc64"))
            check.error(path + ".model", fmt::format("is for pSeries machines, this is {}", check.arch));
        if (panic.model == "s390" && check.arch != "s390x")
            check.error(path + ".model", fmt::format("is for s390x machines, this is {}", check.arch));
        if ((panic.model == "isa" || panic.model == "hyperv") && !vm::is_x86(check.arch))
            check.error(path + ".model", fmt::format("is for x86 machines, this is {}", check.arch));
        const std::string_view type = vm::value_of(panic.address, "type");
        check.one_of(path + ".address.type", type, {"isa"});
        check.refuse(path + ".address", panic.model != "isa" && !panic.model.empty() && !panic.address.empty(),
                     "is for the model isa only");
        const std::string_view iobase = vm::value_of(panic.address, "iobase");
        if (!iobase.empty() && (!iobase.starts_with("0x") || vm::parse_number(iobase).value_or(0x10000) > 0xffff))
            check.error(path + ".address.iobase", fmt::format("expected 0x and up to four hex digits, got '{}'", iobase));
    }
    if (devices.smartcard.size() > 1) check.error(item_path(root + "smartcard", 1), "QEMU has one smartcard");
    for (std::size_t i = 0; i < devices.smartcard.size(); ++i) {
        const vm::Smartcard& card = devices.smartcard[i];
        const std::string path = item_path(root + "smartcard", i);
        if (card.mode == "host-certificates")
            check.error(path + ".mode", "host-certificates has no place for its certificates here; bring it as a snippet");
        else if (check.need(path, "mode", card.mode, "host or passthrough"))
            check.one_of(path + ".mode", card.mode, {"host", "passthrough"});
        if (card.mode == "passthrough" && card.type == "tcp")
            check.error(path + ".type", "tcp has no place for its address here; bring it as a snippet");
        else
            check.one_of(path + ".type", card.type, {"pty", "spicevmc"});
        check.refuse(path + ".type", card.mode == "host" && !card.type.empty(), "is for mode: passthrough only");
        if (card.type == "spicevmc" && !check.has_graphics("spice"))
            check.error(path, "a spicevmc smartcard needs a display: add {type: spice} to libvirt.devices.graphics");
    }
}

}  // namespace

void check_small_devices(VmCheck& check) {
    const vm::Devices& devices = check.spec.libvirt.devices;
    check.absolute_path(root + "emulator", devices.emulator);
    check_inputs(check, devices);
    check_usb_devices(check, devices);
    check_rng_and_tpm(check, devices);
    check_watchdog_and_balloon(check, devices);
    check_shmem(check, devices);
    if (devices.iommu) check_iommu(check, *devices.iommu);
    check_rest(check, devices);
}

}  // namespace ov
