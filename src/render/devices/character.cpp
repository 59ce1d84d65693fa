// Serial ports, consoles and parallel ports. The first serial port and its console always exist, for `ov vm console`.
#include "render/devices/devices.hpp"
#include "render/path_template.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

void add_target(pugi::xml_node device, const vm::TextMap& target) {
    pugi::xml_node node = add(device, "target");
    set(node, "type", text_of(target, "type"));
    set(node, "port", text_of(target, "port"));
    if (is_blank(node)) device.remove_child(node);
}

void add_character(pugi::xml_node devices, const char* name, const Context& context, const vm::CharacterDevice& spec) {
    pugi::xml_node device = add(devices, name);
    const std::string type = or_else(spec.type, "pty");
    set(device, "type", type);
    pugi::xml_node source = add(device, "source");
    if (type == "unix" || type == "tcp") set(source, "mode", or_else(text_of(spec.source, "mode"), "bind"));
    if (type == "tcp") {
        set(source, "host", text_of(spec.source, "host"));
        set(source, "service", text_of(spec.source, "service"));
    } else if (type != "pty") {
        set(source, "path", expand_path(text_of(spec.source, "path"), context.runtime));
    }
    if (is_blank(source)) device.remove_child(source);
    add_target(device, spec.target);
}

}  // namespace

void add_serials(pugi::xml_node devices, const Context& context) {
    pugi::xml_node first = add(devices, "serial");
    set(first, "type", "pty");
    if (!context.runtime.console_log.empty()) {
        pugi::xml_node log = add(first, "log");
        set(log, "file", context.runtime.console_log);
        set(log, "append", "on");
    }
    set(add(first, "target"), "port", "0");
    for (const vm::CharacterDevice& spec : context.devices().serial) add_character(devices, "serial", context, spec);
}

void add_parallels(pugi::xml_node devices, const Context& context) {
    for (const vm::CharacterDevice& spec : context.devices().parallel) add_character(devices, "parallel", context, spec);
}

void add_consoles(pugi::xml_node devices, const Context& context) {
    pugi::xml_node first = add(devices, "console");
    set(first, "type", "pty");
    pugi::xml_node target = add(first, "target");
    set(target, "type", "serial");
    set(target, "port", "0");
    for (const vm::Console& spec : context.devices().console) {
        pugi::xml_node console = add(devices, "console");
        set(console, "type", or_else(spec.type, "pty"));
        add_target(console, spec.target);
    }
}

}  // namespace ov::render
