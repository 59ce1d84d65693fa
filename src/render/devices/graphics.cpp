// Displays and the listeners through which viewers reach them.
#include <algorithm>

#include "render/devices/devices.hpp"
#include "render/path_template.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

void add_listener(pugi::xml_node graphics, const vm::Listener& listener, const Context& context) {
    pugi::xml_node node = add(graphics, "listen");
    set(node, "type", listener.type);
    if (listener.type == "address") set(node, "address", listener.address);
    if (listener.type == "network") set(node, "network", listener.network);
    if (listener.type == "socket") set(node, "socket", expand_path(listener.socket, context.runtime));
}

/// A network listener without a port listens on nothing unless libvirt may choose one.
bool needs_autoport(const vm::Graphics& spec) {
    return spec.port.value_or(0) == 0 && spec.autoport.empty() &&
           std::any_of(spec.listen.begin(), spec.listen.end(), [](const vm::Listener& l) { return l.type != "socket"; });
}

void add_display(pugi::xml_node devices, const vm::Graphics& spec, const Context& context) {
    pugi::xml_node graphics = add(devices, "graphics");
    set(graphics, "type", spec.type);
    if (spec.type == "vnc" || spec.type == "spice" || spec.type == "rdp") {
        if (spec.port.value_or(0) != 0) set(graphics, "port", spec.port);
        set(graphics, "autoport", needs_autoport(spec) ? "yes" : std::string(vm::yes_no(spec.autoport)));
    }
    set(graphics, "keymap", spec.keymap);
    set(graphics, "passwd", spec.passwd);
    if (spec.type == "vnc" && spec.listen.size() == 1 && spec.listen.front().type == "address")
        set(graphics, "listen", spec.listen.front().address);
    else
        for (const vm::Listener& listener : spec.listen) add_listener(graphics, listener, context);
    if (!spec.gl.empty()) set(add(graphics, "gl"), "enable", std::string(vm::yes_no(spec.gl)));
}

}  // namespace

void add_graphics(pugi::xml_node devices, const Context& context) {
    for (const vm::Graphics& spec : context.devices().graphics) add_display(devices, spec, context);
}

}  // namespace ov::render
