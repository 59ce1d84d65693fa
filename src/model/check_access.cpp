// `network`, `ssh`, `libvirt.uri` (`vm-spec.md` 4, 5, 15.1).
#include <charconv>
#include <map>

#include "model/vm_check.hpp"

namespace ov {

namespace {

/// Forwards whose host side is the same. An entry without address takes the port on all of them.
class TakenPorts {
public:
    /// What holds the port already, or empty; then it is `who`'s.
    std::string take(const PortForward& forward, const std::string& who) {
        for (const auto& [other, holder] : taken_)
            if (other.host == forward.host && other.udp == forward.udp &&
                (other.address == forward.address || other.address.empty() || forward.address.empty()))
                return holder;
        taken_.emplace_back(forward, who);
        return {};
    }

private:
    std::vector<std::pair<PortForward, std::string>> taken_;
};

void check_forward(VmCheck& check, const std::string& path, const std::string& text, TakenPorts& taken) {
    const auto forward = parse_port_forward(text);
    if (!forward) {
        check.error(path, fmt::format("expected [address:]host:guest[/tcp|udp] with ports from 1 to 65535, got '{}'", text));
        return;
    }
    if (vm::network_mode(check.spec) != "user") {
        check.error(path, fmt::format("'{}': ports are forwarded in network.mode user only", text));
        return;
    }
    const std::string holder = taken.take(*forward, path);
    if (!holder.empty()) check.error(path, fmt::format("'{}': port {} of the host is taken by {}", text, forward->host, holder));
}

void check_network(VmCheck& check) {
    const vm::Network& network = check.spec.network;
    check.one_of("network.mode", network.mode, {"user", "bridge", "nat", "network"});
    if (network.mode == "bridge" && network.bridge.empty())
        check.error("network", "the key network.bridge is missing: the mode bridge needs the name of a host bridge");
    if (!network.bridge.empty() && vm::network_mode(check.spec) == "user")
        check.error("network.bridge", "has no meaning in mode user; write mode: bridge or mode: nat");
    if (network.model.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != std::string::npos)
        check.error("network.model", fmt::format("'{}' is no model name", network.model));
    check.mac("network.mac", network.mac);
    TakenPorts taken;
    const long long ssh = vm::ssh_port(check.spec);
    if (ssh > 0 && ssh <= 65535 && check.options.instances == 1)
        taken.take({"127.0.0.1", static_cast<int>(ssh), 22, false}, "ssh.port");
    for (std::size_t i = 0; i < network.port_forwards.size(); ++i)
        check_forward(check, item_path("network.port_forwards", i), network.port_forwards[i], taken);
    const auto& nics = check.spec.libvirt.devices.interfaces;
    for (std::size_t n = 0; n < nics.size(); ++n)
        for (std::size_t i = 0; i < nics[n].port_forwards.size(); ++i) {
            const vm::InterfaceForward& forward = nics[n].port_forwards[i];
            const std::string path = item_path(item_path("libvirt.devices.interfaces", n) + ".port_forwards", i);
            const long long start = forward.start.value_or(0);
            if (start < 1 || start > 65535) continue;
            const std::string holder = taken.take({"", static_cast<int>(start), 0, forward.proto == "udp"}, path);
            if (!holder.empty()) check.error(path, fmt::format("port {} of the host is taken by {}", start, holder));
        }
}

void check_ssh(VmCheck& check) {
    const vm::Ssh& ssh = check.spec.ssh;
    if (ssh.port && (*ssh.port < 0 || *ssh.port > 65535))
        check.error("ssh.port", fmt::format("expected a port from 0 to 65535, got {}", *ssh.port));
    if (ssh.port_auto.value_or(false) && ssh.port.value_or(0) > 0)
        check.error("ssh.port_auto", "ssh.port and ssh.port_auto are mutually exclusive");
    const bool word =
        ssh.key_source.empty() || ssh.key_source == "auto" || ssh.key_source == "generate" || ssh.key_source == "none";
    if (!word && ssh.key_source.front() != '/')
        check.error("ssh.key_source", fmt::format("expected auto, generate, none or an absolute path, got '{}'", ssh.key_source));
    check.one_of("ssh.key_injection.smbios", ssh.key_injection.smbios, {"auto", "enabled", "disabled"});
    check.one_of("ssh.key_injection.cloud_init", ssh.key_injection.cloud_init, {"auto", "enabled", "disabled"});
    if (check.options.for_create && vm::login_user(check.spec).empty() && ssh.key_source != "none")
        check.error("ssh",
                    "no account is known to log in with: name it in ssh.user or source.base_user, or write key_source: none");
}

/// Empty when the URI is good (decisions 36).
std::string uri_problem(std::string_view uri) {
    constexpr std::string_view forms = "expected qemu:///session, qemu:///system or qemu+ssh://[user@]host[:port]/session|system";
    std::string_view text = uri;
    if (text.find_first_of("?#") != std::string_view::npos) return fmt::format("'{}': no query and no fragment", uri);
    if (text.ends_with('/') && text.size() > 1) text.remove_suffix(1);
    if (text == "qemu:///session" || text == "qemu:///system") return {};
    constexpr std::string_view remote = "qemu+ssh://";
    if (!text.starts_with(remote)) return fmt::format("'{}': {}", uri, forms);
    text.remove_prefix(remote.size());
    const std::size_t slash = std::min(text.find('/'), text.size());
    const std::string_view path = text.substr(slash);
    if (!path.empty() && path != "/session" && path != "/system")
        return fmt::format("'{}': the path is /session or /system", uri);
    std::string_view host = text.substr(0, slash);
    if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
    const std::size_t bracket = host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0;
    if (const std::size_t colon = host.find(':', bracket); colon != std::string_view::npos) {
        const std::string_view digits = host.substr(colon + 1);
        unsigned port = 0;
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (failure != std::errc() || end != digits.data() + digits.size() || port < 1 || port > 65535)
            return fmt::format("'{}': expected a port from 1 to 65535", uri);
        host = host.substr(0, colon);
    }
    return host.empty() ? fmt::format("'{}' names no host", uri) : std::string();
}

}  // namespace

void check_access(VmCheck& check) {
    check_ssh(check);
    check_network(check);
    const std::string& uri = check.spec.libvirt.uri;
    if (uri.empty()) return;
    if (const std::string problem = uri_problem(uri); !problem.empty()) check.error("libvirt.uri", problem);
    check.refuse("libvirt.uri", check.spec.backend == "qemu", "has no meaning with backend: qemu");
}

}  // namespace ov
