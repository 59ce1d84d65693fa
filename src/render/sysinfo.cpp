// SMBIOS tables: what the guest reads as its maker, serial number and OEM strings.
#include "render/parts.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

void add_table(pugi::xml_node sysinfo, const char* name, const vm::TextMap& entries) {
    if (entries.empty()) return;
    pugi::xml_node table = add(sysinfo, name);
    for (const auto& [key, value] : entries) {  // the map is sorted by key
        pugi::xml_node entry = add(table, "entry", value);
        entry.append_attribute("name") = key.c_str();
    }
}

}  // namespace

void add_sysinfo(pugi::xml_node domain, const Context& context) {
    const vm::Sysinfo& sysinfo = context.libvirt().sysinfo;
    pugi::xml_node node = add(domain, "sysinfo");
    add_table(node, "bios", sysinfo.bios);
    add_table(node, "system", sysinfo.system);
    for (const vm::TextMap& board : sysinfo.baseboard) add_table(node, "baseBoard", board);
    add_table(node, "chassis", sysinfo.chassis);
    for (const vm::TextMap& processor : sysinfo.processor) add_table(node, "processor", processor);
    if (!context.runtime.smbios_credentials.empty() || !sysinfo.oem_strings.empty()) {
        pugi::xml_node strings = add(node, "oemStrings");
        for (const std::string& text : context.runtime.smbios_credentials) add(strings, "entry", text);
        for (const std::string& text : sysinfo.oem_strings) add(strings, "entry", text);
    }
    if (!node.first_child())
        domain.remove_child(node);
    else
        set(node, "type", "smbios");
}

}  // namespace ov::render
