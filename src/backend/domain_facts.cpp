#include <fmt/format.h>

#include <charconv>
#include <map>
#include <pugixml.hpp>

#include "backend/libvirt_domains.hpp"
#include "ov/error.hpp"

namespace ov {

namespace {

std::string size_of(const pugi::xml_node& memory) {
    static const std::map<std::string, unsigned long long, std::less<>> units = {
        {"b", 1},          {"bytes", 1},        {"", 1ULL << 10}, {"k", 1ULL << 10}, {"KiB", 1ULL << 10}, {"KB", 1000},
        {"M", 1ULL << 20}, {"MiB", 1ULL << 20}, {"MB", 1000000},  {"G", 1ULL << 30}, {"GiB", 1ULL << 30}, {"GB", 1000000000},
        {"T", 1ULL << 40}, {"TiB", 1ULL << 40}};
    const auto unit = units.find(std::string_view(memory.attribute("unit").value()));
    const unsigned long long mib = memory.text().as_ullong() * (unit != units.end() ? unit->second : 1ULL << 10) >> 20;
    return mib > 0 && mib % 1024 == 0 ? fmt::format("{}G", mib / 1024) : fmt::format("{}M", mib);
}

std::string firmware_of(const pugi::xml_node& os) {
    const pugi::xml_node loader = os.child("loader");
    const std::string path = loader.text().get();
    const bool automatic = std::string_view(os.attribute("firmware").value()) == "efi";
    if (path.empty() && !automatic) return "bios";
    bool secure = path.find("secboot") != std::string::npos || std::string_view(loader.attribute("secure").value()) == "yes";
    for (const pugi::xml_node feature : os.child("firmware").children("feature"))
        if (std::string_view(feature.attribute("name").value()) == "secure-boot")
            secure = secure || std::string_view(feature.attribute("enabled").value()) == "yes";
    return secure ? "uefi-secure" : "uefi-insecure";
}

/// Passt's forwards, and those of a QEMU command line that somebody added.
int forwarded_ssh(const pugi::xml_node& domain) {
    for (const pugi::xml_node interface : domain.child("devices").children("interface"))
        for (const pugi::xml_node forward : interface.children("portForward"))
            for (const pugi::xml_node range : forward.children("range"))
                if (range.attribute("to").as_int(range.attribute("start").as_int()) == 22)
                    return range.attribute("start").as_int();
    for (const pugi::xml_node argument : domain.child("qemu:commandline").children("qemu:arg")) {
        const std::string_view value = argument.attribute("value").value();
        const std::size_t guest = value.find("-:22"), forward = value.find("hostfwd=tcp:");
        if (guest == std::string_view::npos || forward == std::string_view::npos || forward > guest) continue;
        if (guest + 4 < value.size() && value[guest + 4] >= '0' && value[guest + 4] <= '9') continue;
        const std::size_t colon = value.rfind(':', guest);
        int port = 0;
        std::from_chars(value.data() + colon + 1, value.data() + guest, port);
        if (port > 0) return port;
    }
    return 0;
}

}  // namespace

DomainFacts domain_facts(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
    const pugi::xml_node domain = document.child("domain");
    if (!parsed || !domain) throw Error(Errc::spec_invalid, fmt::format("no domain XML: {}", parsed.description()));
    DomainFacts facts;
    facts.name = domain.child("name").text().get();
    for (const pugi::xml_node disk : domain.child("devices").children("disk")) {
        const std::string_view device = disk.attribute("device").as_string("disk");
        if (device != "disk" || std::string_view(disk.attribute("type").value()) != "file") continue;
        facts.disk_path = disk.child("source").attribute("file").value();
        facts.disk_format = disk.child("driver").attribute("type").as_string("raw");
        break;
    }
    facts.ram = size_of(domain.child("memory"));
    facts.cpus = domain.child("vcpu").text().as_int(1);
    facts.machine = domain.child("os").child("type").attribute("machine").value();
    facts.firmware = firmware_of(domain.child("os"));
    if (const pugi::xml_node interface = domain.child("devices").child("interface")) {
        const std::string_view type = interface.attribute("type").value();
        facts.network = type == "user" ? "user" : type == "bridge" ? "bridge" : "nat";
        if (type == "bridge") facts.bridge = interface.child("source").attribute("bridge").value();
    }
    facts.ssh_port = forwarded_ssh(domain);
    // Forwards on a command line come with a user-mode network that libvirt knows nothing of.
    if (facts.ssh_port > 0 && facts.network.empty()) facts.network = "user";
    return facts;
}

}  // namespace ov
