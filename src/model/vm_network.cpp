// The default network interface: forwards, models, addresses.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/sha256.hpp"
#include "ov/vm_defaults.hpp"
#include "ov/vm_runtime.hpp"

namespace ov {

namespace {

std::optional<int> parse_port(std::string_view text) {
    int port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, port);
    if (text.empty() || text.front() == '0' || failure != std::errc() || stop != end || port < 1 || port > 65535)
        return std::nullopt;
    return port;
}

bool is_address(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' || c == ':';
    });
}

bool is_ipv4(std::string_view text) {
    int octets = 0;
    while (true) {
        const std::size_t dot = std::min(text.find('.'), text.size());
        const std::string_view octet = text.substr(0, dot);
        unsigned value = 256;
        const auto [stop, failure] = std::from_chars(octet.data(), octet.data() + octet.size(), value);
        if (octet.empty() || octet.size() > 3 || failure != std::errc() || stop != octet.data() + octet.size() || value > 255)
            return false;
        ++octets;
        if (dot == text.size()) return octets == 4;
        text.remove_prefix(dot + 1);
    }
}

}  // namespace

std::optional<PortForward> parse_port_forward(std::string_view text) {
    PortForward forward;
    if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
        const std::string_view protocol = text.substr(slash + 1);
        if (protocol != "tcp" && protocol != "udp") return std::nullopt;
        forward.udp = protocol == "udp";
        text = text.substr(0, slash);
    }
    const std::size_t last = text.rfind(':');
    if (last == std::string_view::npos) return std::nullopt;
    const auto guest = parse_port(text.substr(last + 1));
    std::string_view head = text.substr(0, last);
    if (head.starts_with('[')) {
        const std::size_t close = head.find("]:");
        if (close == std::string_view::npos) return std::nullopt;
        forward.address = head.substr(1, close - 1);
        if (!is_address(forward.address) || forward.address.find(':') == std::string::npos) return std::nullopt;
        head.remove_prefix(close + 2);
    } else if (const std::size_t colon = head.rfind(':'); colon != std::string_view::npos) {
        forward.address = head.substr(0, colon);
        if (!is_ipv4(forward.address)) return std::nullopt;
        head.remove_prefix(colon + 1);
    }
    const auto host = parse_port(head);
    if (!host || !guest) return std::nullopt;
    forward.host = *host;
    forward.guest = *guest;
    return forward;
}

namespace vm {

bool passt_usable(const HostFacts& facts) noexcept {
    return facts.libvirt && facts.libvirt->passt && !facts.passt.empty();
}

std::string_view network_mode(const VmSpec& spec) noexcept {
    const std::string& mode = spec.network.mode;
    if (mode == "bridge") return "bridge";
    return mode == "nat" || mode == "network" ? "network" : "user";
}

std::string network_name(const VmSpec& spec) {
    // libvirt's packages define a network of this name.
    return spec.network.bridge.empty() ? "default" : spec.network.bridge;
}

std::string nic_model_xml(std::string_view model) {
    // "virtio-net-pci" is free text to libvirt, which then refuses virtio's driver options.
    return model.empty() || model == "virtio-net-pci" ? "virtio" : std::string(model);
}

std::string nic_model_argv(std::string_view model) {
    return model.empty() || model == "virtio" ? "virtio-net-pci" : std::string(model);
}

std::string mac_of(const VmSpec& spec, std::string_view domain) {
    if (!spec.network.mac.empty()) return spec.network.mac;
    // Stable for the name, so that leases and guests' network configuration survive a new definition.
    const std::string digest = sha256_hex(domain);
    return fmt::format("52:54:00:{}:{}:{}", digest.substr(0, 2), digest.substr(2, 2), digest.substr(4, 2));
}

std::vector<PortForward> forwards_of(const VmSpec& spec, const VmRuntime& runtime) {
    std::vector<PortForward> forwards;
    if (network_mode(spec) != "user") return forwards;
    // SSH is for the operator alone; forwards that the author wrote serve everybody unless they name an address.
    if (runtime.ssh_port > 0) forwards.push_back({"127.0.0.1", static_cast<int>(runtime.ssh_port), 22, false});
    for (const auto* list : {&spec.network.port_forwards, &runtime.extra_port_forwards})
        for (const std::string& text : *list)
            if (auto forward = parse_port_forward(text)) forwards.push_back(std::move(*forward));
    return forwards;
}

}  // namespace vm
}  // namespace ov
