// The USB family: controllers, redirected devices, hubs, smart cards; and input devices, most of which are USB.
#include "render/devices/devices.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

void add_usb_controllers(pugi::xml_node devices, const Context& context) {
    for (const vm::UsbController& spec : context.devices().usb) {
        pugi::xml_node controller = add(devices, "controller");
        set(controller, "type", "usb");
        set(controller, "model", spec.model);
        if (spec.port.value_or(0) > 0) set(controller, "ports", spec.port);
    }
}

void add_redirdevs(pugi::xml_node devices, const Context& context) {
    for (const vm::Redirdev& spec : context.devices().redirdev) {
        pugi::xml_node device = add(devices, "redirdev");
        set(device, "bus", or_else(spec.bus, "usb"));
        set(device, "type", or_else(spec.type, "spicevmc"));
    }
}

void add_hubs(pugi::xml_node devices, const Context& context) {
    for (const vm::Hub& spec : context.devices().hub) set(add(devices, "hub"), "type", or_else(spec.type, "usb"));
}

void add_smartcards(pugi::xml_node devices, const Context& context) {
    for (const vm::Smartcard& spec : context.devices().smartcard) {
        pugi::xml_node card = add(devices, "smartcard");
        const std::string mode = or_else(spec.mode, "host");
        set(card, "mode", mode);
        if (mode == "passthrough") set(card, "type", or_else(spec.type, "pty"));
    }
}

void add_inputs(pugi::xml_node devices, const Context& context) {
    for (const vm::Input& spec : context.devices().inputs) {
        pugi::xml_node input = add(devices, "input");
        set(input, "type", spec.type);
        set(input, "bus", spec.bus);
    }
}

}  // namespace ov::render
