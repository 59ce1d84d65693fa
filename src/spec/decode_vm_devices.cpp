// `libvirt.devices` (`vm-spec.md` 9).
#include "spec/vm_fields.hpp"

namespace ov::spec {

void describe(FieldVisitor& v, vm::Disk& disk) {
    v.text("type", disk.type);
    v.text("device", disk.device);
    v.text_map("source", disk.source, {"file", "dev", "pool", "volume", "protocol", "name", "host", "port"});
    v.text_map("target", disk.target, {"dev", "bus"});
    v.text_map("driver", disk.driver, {"name", "type", "cache", "io", "discard", "error_policy", "iothread"});
    v.flag("readonly", disk.readonly);
    v.text("serial", disk.serial);
    v.text("wwn", disk.wwn);
    v.integer("boot", disk.boot);
}

void describe(FieldVisitor& v, vm::InterfaceForward& forward) {
    v.text("proto", forward.proto);
    v.integer("start", forward.start);
    v.integer("to", forward.to);
}

void describe(FieldVisitor& v, vm::Interface& nic) {
    v.text("type", nic.type);
    v.text_map("source", nic.source, {"bridge", "network", "dev", "mode"});
    v.text("model", nic.model);
    v.text("mac", nic.mac);
    v.integer("mtu", nic.mtu);
    v.text_map(
        "driver", nic.driver,
        {"name", "queues", "txmode", "ioeventfd", "event_idx", "iommu", "ats", "packed", "rx_queue_size", "tx_queue_size"});
    v.integer("boot", nic.boot);
    v.list("port_forwards", nic.port_forwards);
}

void describe(FieldVisitor& v, vm::Channel& channel) {
    v.text("type", channel.type);
    v.text("name", channel.name);
    v.text("path", channel.path);
    v.text("source", channel.source);
}

void describe(FieldVisitor& v, vm::CharacterDevice& device) {
    v.text("type", device.type);
    v.text_map("source", device.source, {"path", "mode", "host", "service"});
    v.text_map("target", device.target, {"type", "port"});
}

void describe(FieldVisitor& v, vm::Console& console) {
    v.text("type", console.type);
    v.text_map("target", console.target, {"type", "port"});
}

void describe(FieldVisitor& v, vm::Graphics& graphics) {
    v.text("type", graphics.type);
    v.integer("port", graphics.port);
    v.text("autoport", graphics.autoport);
    v.listeners("listen", graphics.listen);
    v.text("passwd", graphics.passwd);
    v.text("passwd_file", graphics.passwd_file);
    v.text("keymap", graphics.keymap);
    v.text("gl", graphics.gl);
}

void describe(FieldVisitor& v, vm::Video& video) {
    v.text("model", video.model);
    v.text("vram", video.vram);
    v.text("ram", video.ram);
    v.text("vram64", video.vram64);
    v.text("vgamem", video.vgamem);
    v.integer("heads", video.heads);
    v.boolean("accel3d", video.accel3d);
    v.boolean("primary", video.primary);
}

void describe(FieldVisitor& v, vm::Audio& audio) {
    v.text("type", audio.type);
    v.integer("id", audio.id);
}

void describe(FieldVisitor& v, vm::Sound& sound) {
    v.text("model", sound.model);
}

void describe(FieldVisitor& v, vm::Input& input) {
    v.text("type", input.type);
    v.text("bus", input.bus);
}

void describe(FieldVisitor& v, vm::UsbController& usb) {
    v.text("model", usb.model);
    v.integer("port", usb.port);
}

void describe(FieldVisitor& v, vm::Redirdev& device) {
    v.text("bus", device.bus);
    v.text("type", device.type);
}

void describe(FieldVisitor& v, vm::Hostdev& device) {
    v.text("type", device.type);
    v.text("mode", device.mode);
    v.text("managed", device.managed);
    v.text_map("source", device.source,
               {"domain", "bus", "slot", "function", "vendor", "product", "uuid", "model", "adapter", "target", "unit"});
    v.text_map("rom", device.rom, {"bar", "file", "enabled"});
    v.text_map("driver", device.driver, {"name", "model", "iommufd"});
}

void describe(FieldVisitor& v, vm::Filesystem& share) {
    v.text("type", share.type);
    v.text("driver", share.driver);
    v.text("accessmode", share.accessmode);
    v.text("source", share.source);
    v.text("target", share.target);
    v.flag("readonly", share.readonly);
    v.text_map("binary", share.binary, {"path", "xattr", "cache", "sandbox", "thread_pool"});
}

void describe(FieldVisitor& v, vm::RngRate& rate) {
    v.integer("period", rate.period);
    v.integer("bytes", rate.bytes);
}

void describe(FieldVisitor& v, vm::Rng& rng) {
    v.text("model", rng.model);
    v.text("backend", rng.backend);
    v.block("rate", rng.rate);
}

void describe(FieldVisitor& v, vm::Tpm& tpm) {
    v.text("model", tpm.model);
    v.text_map("backend", tpm.backend, {"type", "version", "path"});
}

void describe(FieldVisitor& v, vm::Watchdog& watchdog) {
    v.text("model", watchdog.model);
    v.text("action", watchdog.action);
}

void describe(FieldVisitor& v, vm::MemballoonStats& stats) {
    v.integer("period", stats.period);
}

void describe(FieldVisitor& v, vm::Memballoon& balloon) {
    v.text("model", balloon.model);
    v.text("autodeflate", balloon.autodeflate);
    v.block("stats", balloon.stats);
}

void describe(FieldVisitor& v, vm::Shmem& shmem) {
    v.text("name", shmem.name);
    v.text("role", shmem.role);
    v.text_map("model", shmem.model, {"type"});
    v.text("size", shmem.size);
    v.text_map("server", shmem.server, {"path"});
}

void describe(FieldVisitor& v, vm::Iommu& iommu) {
    v.text("model", iommu.model);
    v.text_map("driver", iommu.driver, {"intremap", "caching_mode", "eim", "iotlb", "aw_bits"});
}

void describe(FieldVisitor& v, vm::Vsock& vsock) {
    v.text("model", vsock.model);
    v.text_map("cid", vsock.cid, {"auto", "address"});
}

void describe(FieldVisitor& v, vm::Panic& panic) {
    v.text("model", panic.model);
    v.text_map("address", panic.address, {"type", "iobase"});
}

void describe(FieldVisitor& v, vm::Smartcard& card) {
    v.text("mode", card.mode);
    v.text("type", card.type);
}

void describe(FieldVisitor& v, vm::Hub& hub) {
    v.text("type", hub.type);
}

void describe(FieldVisitor& v, vm::Devices& devices) {
    v.text("emulator", devices.emulator);
    v.list("disks", devices.disks);
    v.list("interfaces", devices.interfaces);
    v.list("channels", devices.channels);
    v.list("serial", devices.serial);
    v.list("console", devices.console);
    v.list("parallel", devices.parallel);
    v.list("graphics", devices.graphics);
    v.list("video", devices.video);
    v.list("audio", devices.audio);
    v.list("sound", devices.sound);
    v.list("inputs", devices.inputs);
    v.list("usb", devices.usb);
    v.list("redirdev", devices.redirdev);
    v.list("hostdevs", devices.hostdevs);
    v.list("filesystems", devices.filesystems);
    v.list("rng", devices.rng);
    v.list("tpm", devices.tpm);
    v.list("watchdog", devices.watchdog);
    v.block("memballoon", devices.memballoon);
    v.list("shmem", devices.shmem);
    v.block("iommu", devices.iommu);
    v.block("vsock", devices.vsock);
    v.list("panic", devices.panic);
    v.list("smartcard", devices.smartcard);
    v.list("hub", devices.hub);
}

}  // namespace ov::spec
