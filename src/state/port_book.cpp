#include "state/port_book.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>

#include "base/sha256.hpp"
#include "ov/error.hpp"
#include "state/deploy_config.hpp"
#include "state/state_file.hpp"

namespace ov::state {

namespace {

// Below the range from which systems take the ports of outgoing connections, so that none of those gets in the way.
constexpr int first_port = 20000, port_count = 10000;

VmIdentity machine_of(const DeployDocument& document, const std::string& key, const DeployMap& project) {
    DeployNode node = document.node(key);
    const auto known = project.find(key);
    if (node.vm.empty() && known != project.end()) node.vm = known->second.vm;
    return vm_identity(key, node);
}

struct StoredPorts {
    int own = 0;
    std::map<int, std::string> others;  ///< port -> key of the machine
};

StoredPorts stored_ports(const DeployDocument& document, const VmIdentity& machine, const DeployMap& project) {
    StoredPorts stored;
    for (const std::string& key : document.keys()) {
        const DeployNode node = document.node(key);
        if (!node.vm_state || !node.vm_state->ssh_port) continue;
        const VmIdentity holder = machine_of(document, key, project);
        if (holder == machine)
            stored.own = *node.vm_state->ssh_port;
        else
            stored.others.emplace(*node.vm_state->ssh_port, holder.key());
    }
    return stored;
}

int fixed_port(const PortRequest& request, const StoredPorts& stored) {
    if (const auto taken = stored.others.find(request.fixed); taken != stored.others.end())
        throw Error(Errc::busy, fmt::format("port {} of ssh.port is {}'s; write ssh.port_auto: true to get a free one",
                                            request.fixed, taken->second));
    if (!request.running && !port_is_free(request.fixed))
        throw Error(Errc::busy, fmt::format("something listens on 127.0.0.1:{} already; free it, change ssh.port, or write "
                                            "ssh.port_auto: true",
                                            request.fixed));
    return request.fixed;
}

int free_port(const PortRequest& request, const StoredPorts& stored) {
    if (stored.own > 0 && !stored.others.contains(stored.own) && (request.running || port_is_free(stored.own))) return stored.own;
    if (request.preferred > 0 && !stored.others.contains(request.preferred) && port_is_free(request.preferred))
        return request.preferred;
    // From a place of the machine's own: neighbours do not race for the same number, and it tends to get the same one again.
    const int start = std::stoi(sha256_hex(request.machine.domain()).substr(0, 6), nullptr, 16) % port_count;
    for (int i = 0; i < port_count; ++i) {
        const int port = first_port + (start + i) % port_count;
        if (!stored.others.contains(port) && port_is_free(port)) return port;
    }
    throw Error(Errc::io, fmt::format("no free port from {} to {}", first_port, first_port + port_count - 1));
}

}  // namespace

bool port_is_free(int port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return false;
    const int yes = 1;
    // As the hypervisors do: the rests of closed connections are no obstacle, a listener is.
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(descriptor);
    return free;
}

int reserve_ssh_port(const PortRequest& request, const DeployMap& project) {
    const FileLock lock = FileLock::acquire(request.lock_file, std::chrono::seconds(30), request.cancelled);
    int port = 0;
    update_deploy_file(
        request.deploy_file,
        [&](DeployDocument& document) {
            const StoredPorts stored = stored_ports(document, request.machine, project);
            port = request.fixed > 0 ? fixed_port(request, stored) : free_port(request, stored);
            VmState state;
            state.ssh_port = port;
            record_vm_state(document, request.key.empty() ? request.machine.key() : request.key, request.machine, state, project);
        },
        request.cancelled);
    return port;
}

void release_ssh_port(const std::string& deploy_file, const VmIdentity& machine, const DeployMap& project) {
    update_deploy_file(deploy_file, [&](DeployDocument& document) {
        for (const std::string& key : document.keys()) {
            DeployNode node = document.node(key);
            if (!node.vm_state || !node.vm_state->ssh_port || machine_of(document, key, project) != machine) continue;
            node.vm_state->ssh_port.reset();
            document.set_field(key, "vm_state", vm_state_yaml(*node.vm_state));
        }
    });
}

}  // namespace ov::state
