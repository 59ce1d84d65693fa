// Network cards: the machine's own, then the author's. `<range start=... to=...>`: start is the host's port, to the guest's.
#include <algorithm>

#include "render/devices/devices.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

/// Forwards go into one element a protocol and address, in order of first appearance.
void add_forwards(pugi::xml_node interface, const std::vector<PortForward>& forwards) {
    std::vector<std::pair<const PortForward*, pugi::xml_node>> groups;
    for (const PortForward& forward : forwards) {
        auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) {
            return g.first->udp == forward.udp && g.first->address == forward.address;
        });
        if (group == groups.end()) {
            pugi::xml_node node = add(interface, "portForward");
            set(node, "proto", forward.udp ? "udp" : "tcp");
            set(node, "address", forward.address);
            group = groups.insert(groups.end(), {&forward, node});
        }
        pugi::xml_node range = add(group->second, "range");
        set_number(range, "start", forward.host);
        if (forward.guest != 0) set_number(range, "to", forward.guest);
    }
}

void add_backend(pugi::xml_node interface) {
    set(add(interface, "backend"), "type", "passt");
}

std::vector<PortForward> forwards_of(const vm::Interface& spec) {
    std::vector<PortForward> forwards;
    for (const vm::InterfaceForward& entry : spec.port_forwards) {
        PortForward forward;
        forward.host = static_cast<int>(entry.start.value_or(0));
        forward.guest = static_cast<int>(entry.to.value_or(0));  // 0: the same port
        forward.udp = entry.proto == "udp";
        forwards.push_back(forward);
    }
    return forwards;
}

void add_driver(pugi::xml_node interface, const vm::TextMap& driver) {
    pugi::xml_node node = add(interface, "driver");
    for (const char* key : {"name", "queues", "txmode", "rx_queue_size", "tx_queue_size"}) set(node, key, text_of(driver, key));
    for (const char* key : {"iommu", "ats", "packed", "event_idx", "ioeventfd"}) set(node, key, on_off_of(driver, key));
    if (is_blank(node)) interface.remove_child(node);
}

void add_interface(pugi::xml_node devices, const vm::Interface& spec) {
    pugi::xml_node interface = add(devices, "interface");
    const std::string type = or_else(spec.type, "user");
    set(interface, "type", type);
    if (!spec.mac.empty()) set(add(interface, "mac"), "address", spec.mac);
    pugi::xml_node source = add(interface, "source");
    for (const char* key : {"bridge", "network", "dev", "mode"}) set(source, key, text_of(spec.source, key));
    if (is_blank(source)) interface.remove_child(source);
    if (spec.boot.value_or(0) > 0) set(add(interface, "boot"), "order", spec.boot);
    const std::vector<PortForward> forwards = forwards_of(spec);
    add_forwards(interface, forwards);
    if (!spec.model.empty()) set(add(interface, "model"), "type", vm::nic_model_xml(spec.model));
    add_driver(interface, spec.driver);
    if (type == "user" && !forwards.empty()) add_backend(interface);
    if (spec.mtu.value_or(0) > 0) set(add(interface, "mtu"), "size", spec.mtu);
}

}  // namespace

void add_default_interface(pugi::xml_node devices, const Context& context) {
    const std::string_view mode = vm::network_mode(context.spec);
    const std::vector<PortForward> forwards = vm::forwards_of(context.spec, context.runtime);
    // Without passt libvirt takes forwards and does nothing about them; the couplings give them to QEMU itself.
    if (mode == "user" && !forwards.empty() && !context.has_passt()) return;
    pugi::xml_node interface = add(devices, "interface");
    set(interface, "type", std::string(mode));
    set(add(interface, "mac"), "address", vm::mac_of(context.spec, context.runtime.name));
    if (mode == "bridge") set(add(interface, "source"), "bridge", context.spec.network.bridge);
    if (mode == "network") set(add(interface, "source"), "network", vm::network_name(context.spec));
    if (mode == "user") add_forwards(interface, forwards);
    set(add(interface, "model"), "type", vm::nic_model_xml(context.spec.network.model));
    if (mode == "user" && !forwards.empty()) add_backend(interface);
}

void add_interfaces(pugi::xml_node devices, const Context& context) {
    for (const vm::Interface& spec : context.devices().interfaces) add_interface(devices, spec);
}

}  // namespace ov::render
