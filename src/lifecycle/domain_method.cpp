#include "lifecycle/domain_method.hpp"

#include <fmt/format.h>

#include <array>
#include <sstream>

#include "async/process.hpp"

namespace ov {
namespace {

/// Questions to the agent in the guest that are one command of its protocol each.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> agent_commands{{
    {"guest/ping", "guest-ping"},
    {"guest/info", "guest-info"},
    {"guest/os-info", "guest-get-osinfo"},
    {"guest/time", "guest-get-time"},
    {"guest/hostname", "guest-get-host-name"},
    {"guest/users", "guest-get-users"},
    {"guest/interfaces", "guest-network-get-interfaces"},
    {"guest/disks", "guest-get-disks"},
    {"guest/fsinfo", "guest-get-fsinfo"},
    {"guest/vcpus", "guest-get-vcpus"},
    {"guest/fstrim", "guest-fstrim"},
}};

}  // namespace

std::vector<std::string> virsh_words(const Check& check, const std::string& domain) {
    const std::string& method = check.subject;
    if (method == "list") return {"list", "--all", "--name"};
    if (method == "info") return {"dominfo", domain};
    if (method == "domain-xml") return {"dumpxml", domain};
    if (method == "screenshot") return {"screenshot", domain, check.text("artifact")};
    if (method == "qmp") return {"qemu-monitor-command", domain, check.text("text")};
    if (method == "send-key") {
        std::vector<std::string> words = {"send-key", domain};
        std::istringstream keys(check.text("key"));
        for (std::string key; keys >> key;) words.push_back(key);
        return words;
    }
    if (method == "snapshot/list") return {"snapshot-list", domain, "--name"};
    if (method == "snapshot/create") return {"snapshot-create-as", domain, check.text("target")};
    if (method == "snapshot/info") return {"snapshot-info", domain, check.text("target")};
    if (method == "snapshot/revert") return {"snapshot-revert", domain, check.text("target")};
    if (method == "snapshot/delete") return {"snapshot-delete", domain, check.text("target")};
    for (const auto& [name, command] : agent_commands)
        if (method == name) return {"qemu-agent-command", domain, fmt::format("{{\"execute\":\"{}\"}}", command)};
    return {};
}

asio::awaitable<CommandResult> run_domain_method(VmContext& context, Hypervisors& hypervisors, VmIdentity machine, Check check,
                                                 std::string directory, Deadline deadline) {
    const VmState* known = context.known_state(machine);
    VmState state;
    if (known != nullptr) state = *known;
    const LocatedVm found = co_await hypervisors.locate(machine, std::move(state), deadline);
    if (found.backend == nullptr)
        throw Error(Errc::not_found, fmt::format("libvirt {}: {} is not defined on this host", check.subject, found.name));
    if (found.libvirt_uri.empty())
        throw Error(Errc::unsupported, fmt::format("libvirt {}: the domain's backend is qemu", check.subject));
    std::vector<std::string> words = virsh_words(check, found.name);
    if (words.empty())
        throw Error(Errc::unsupported, fmt::format("libvirt {}: this version has no such method in checks", check.subject));
    ProcessOptions options;
    options.argv = {"virsh", "-q", "-c", found.libvirt_uri};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.directory = std::move(directory);
    ProcessOutput output = co_await run_process(std::move(options), deadline);
    co_return CommandResult{output.status, std::move(output.out), std::move(output.err)};
}

}  // namespace ov
