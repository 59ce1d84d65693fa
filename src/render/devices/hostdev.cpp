// Devices of the host given to the guest. `managed` makes libvirt bind vfio-pci at start and give the device back at stop.
#include <fmt/format.h>

#include "render/devices/devices.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

void add_driver(pugi::xml_node hostdev, const vm::TextMap& driver) {
    if (driver.empty()) return;
    pugi::xml_node node = add(hostdev, "driver");
    set(node, "name", text_of(driver, "name"));
    set(node, "model", text_of(driver, "model"));
    set(node, "iommufd", yes_no_of(driver, "iommufd"));
}

void add_pci_address(pugi::xml_node source, const vm::TextMap& spec) {
    pugi::xml_node address = add(source, "address");
    const auto number = [&](const char* key, fmt::format_string<const std::uint32_t&> form) {
        if (const auto value = vm::parse_pci_number(vm::value_of(spec, key))) set(address, key, fmt::format(form, *value));
    };
    number("domain", "0x{:04x}");
    number("bus", "0x{:02x}");
    number("slot", "0x{:02x}");
    number("function", "0x{:x}");
}

void add_scsi_address(pugi::xml_node source, const vm::TextMap& spec) {
    set(add(source, "adapter"), "name", text_of(spec, "adapter"));
    pugi::xml_node address = add(source, "address");
    for (const char* key : {"bus", "target", "unit"}) set(address, key, text_of(spec, key));
}

void add_source(pugi::xml_node hostdev, const vm::Hostdev& spec) {
    pugi::xml_node source = add(hostdev, "source");
    if (spec.type == "pci") add_pci_address(source, spec.source);
    if (spec.type == "usb") {
        set(add(source, "vendor"), "id", text_of(spec.source, "vendor"));
        set(add(source, "product"), "id", text_of(spec.source, "product"));
    }
    if (spec.type == "scsi") add_scsi_address(source, spec.source);
    if (spec.type == "mdev") set(add(source, "address"), "uuid", text_of(spec.source, "uuid"));
}

void add_rom(pugi::xml_node hostdev, const vm::TextMap& rom) {
    if (rom.empty()) return;
    pugi::xml_node node = add(hostdev, "rom");
    set(node, "bar", on_off_of(rom, "bar"));
    set(node, "file", text_of(rom, "file"));
    set(node, "enabled", yes_no_of(rom, "enabled"));
}

}  // namespace

void add_hostdevs(pugi::xml_node devices, const Context& context) {
    for (const vm::Hostdev& spec : context.devices().hostdevs) {
        pugi::xml_node hostdev = add(devices, "hostdev");
        set(hostdev, "mode", or_else(spec.mode, "subsystem"));
        set(hostdev, "type", spec.type);
        if (spec.type == "mdev") set(hostdev, "model", or_else(text_of(spec.source, "model"), "vfio-pci"));
        set(hostdev, "managed", std::string(vm::yes_no(spec.managed)));
        add_driver(hostdev, spec.driver);
        add_source(hostdev, spec);
        add_rom(hostdev, spec.rom);
    }
}

}  // namespace ov::render
