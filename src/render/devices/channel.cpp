// Channels between host and guest, among them the guest agent's. Without a path libvirt binds the socket below the domain's own
// directory.
#include "render/devices/devices.hpp"
#include "render/path_template.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

void add_channels(pugi::xml_node devices, const Context& context) {
    for (const vm::Channel& spec : context.devices().channels) {
        pugi::xml_node channel = add(devices, "channel");
        const bool spice = spec.type == "spicevmc";
        const bool socket = !spice && (spec.type != "pty" || !spec.socket().empty());
        set(channel, "type", spice ? "spicevmc" : socket ? "unix" : "pty");
        if (socket) {
            pugi::xml_node source = add(channel, "source");
            set(source, "mode", "bind");
            set(source, "path", expand_path(spec.socket(), context.runtime));
        }
        pugi::xml_node target = add(channel, "target");
        set(target, "type", "virtio");
        set(target, "name", or_else(spec.name, spice ? "com.redhat.spice.0" : ""));
    }
}

}  // namespace ov::render
