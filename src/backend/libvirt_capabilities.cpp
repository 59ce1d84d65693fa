// The two capability documents of libvirt, as far as validation uses them.
#include <algorithm>
#include <pugixml.hpp>

#include "backend/host_probe.hpp"

namespace ov {

namespace {

void add(std::vector<std::string>& list, std::string value) {
    if (!value.empty() && std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

/// Values of `<DEVICE supported='yes'><enum name='NAME'>`.
std::vector<std::string> enum_values(const pugi::xml_node& device, const char* name) {
    std::vector<std::string> values;
    if (std::string_view(device.attribute("supported").value()) != "yes") return values;
    for (const pugi::xml_node value : device.find_child_by_attribute("enum", "name", name).children("value"))
        add(values, value.child_value());
    return values;
}

}  // namespace

void read_domain_capabilities(const std::string& xml, LibvirtFacts& facts) {
    pugi::xml_document document;
    if (!document.load_string(xml.c_str())) return;
    const pugi::xml_node devices = document.child("domainCapabilities").child("devices");
    const std::pair<const char*, const char*> enums[] = {
        {"graphics", "type"}, {"video", "modelType"}, {"tpm", "model"}, {"filesystem", "driverType"}};
    for (const auto& [device, name] : enums)
        if (auto values = enum_values(devices.child(device), name); !values.empty()) facts.devices[device] = std::move(values);
    // Shown from libvirt 10.6 on.
    const pugi::xml_node interface = devices.child("interface");
    const auto backends = enum_values(interface, "backendType");
    if (!backends.empty()) facts.passt = std::find(backends.begin(), backends.end(), "passt") != backends.end();
}

void read_capabilities(const std::string& xml, std::string_view arch, LibvirtFacts& facts) {
    pugi::xml_document document;
    if (!document.load_string(xml.c_str())) return;
    for (const pugi::xml_node guest : document.child("capabilities").children("guest")) {
        const pugi::xml_node node = guest.child("arch");
        if (std::string_view(guest.child_value("os_type")) != "hvm" || node.attribute("name").value() != arch) continue;
        for (const pugi::xml_node machine : node.children("machine")) {
            add(facts.machines, machine.child_value());
            add(facts.machines, machine.attribute("canonical").value());
        }
        for (const pugi::xml_node domain : node.children("domain")) {
            add(facts.domain_types, domain.attribute("type").value());
            for (const pugi::xml_node machine : domain.children("machine")) add(facts.machines, machine.child_value());
        }
    }
    std::sort(facts.machines.begin(), facts.machines.end());
}

}  // namespace ov
