// Disks: the root disk, the seed, then the author's.
#include <algorithm>
#include <set>

#include "render/devices/devices.hpp"
#include "render/devices/disk_defaults.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

pugi::xml_node add_file_disk(pugi::xml_node devices, const char* device, const std::string& format, const std::string& file,
                             const char* target, const char* bus) {
    pugi::xml_node disk = add(devices, "disk");
    set(disk, "type", "file");
    set(disk, "device", device);
    pugi::xml_node driver = add(disk, "driver");
    set(driver, "name", "qemu");
    set(driver, "type", format);
    set(add(disk, "source"), "file", file);
    pugi::xml_node where = add(disk, "target");
    set(where, "dev", target);
    set(where, "bus", bus);
    return disk;
}

void add_driver(pugi::xml_node disk, const vm::Disk& spec) {
    const vm::TextMap& driver = spec.driver;
    pugi::xml_node node = add(disk, "driver");
    set(node, "name", or_else(text_of(driver, "name"), "qemu"));
    set(node, "type", disk_format(spec));
    for (const char* key : {"cache", "error_policy", "io", "discard", "iothread"}) set(node, key, text_of(driver, key));
}

void add_source(pugi::xml_node disk, const vm::Disk& spec, const std::string& type) {
    pugi::xml_node source = add(disk, "source");
    const auto copy = [&](const char* key) { set(source, key, text_of(spec.source, key)); };
    if (type == "block") {
        copy("dev");
    } else if (type == "volume") {
        copy("pool");
        copy("volume");
    } else if (type == "network") {
        copy("protocol");
        copy("name");
        if (const std::string host = text_of(spec.source, "host"); !host.empty()) {
            pugi::xml_node node = add(source, "host");
            set(node, "name", host);
            set(node, "port", text_of(spec.source, "port"));
        }
    } else {
        copy("file");
    }
    if (is_blank(source)) disk.remove_child(source);  // an empty drive
}

void add_disk(pugi::xml_node devices, const vm::Disk& spec, const DiskTarget& target) {
    pugi::xml_node disk = add(devices, "disk");
    const std::string type = or_else(spec.type, "file");
    set(disk, "type", type);
    set(disk, "device", or_else(spec.device, "disk"));
    add_driver(disk, spec);
    add_source(disk, spec, type);
    pugi::xml_node where = add(disk, "target");
    set(where, "dev", target.dev);
    set(where, "bus", target.bus);
    if (spec.readonly) add(disk, "readonly");
    add_if(disk, "serial", spec.serial);
    add_if(disk, "wwn", spec.wwn);
    if (spec.boot.value_or(0) > 0) set(add(disk, "boot"), "order", spec.boot);
}

}  // namespace

void add_disks(pugi::xml_node devices, const Context& context) {
    const VmRuntime& runtime = context.runtime;
    if (!runtime.disk.empty())
        add_file_disk(devices, "disk", or_else(runtime.disk_format, "qcow2"), runtime.disk, "vda", "virtio");
    // SATA: q35 has no IDE controller.
    if (!runtime.seed_iso.empty()) add(add_file_disk(devices, "cdrom", "raw", runtime.seed_iso, "sda", "sata"), "readonly");
    const std::vector<DiskTarget> targets = disk_targets(context.devices().disks);
    for (std::size_t i = 0; i < targets.size(); ++i) add_disk(devices, context.devices().disks[i], targets[i]);
}

}  // namespace ov::render
