#include "lifecycle/vm_orphans.hpp"

#include <algorithm>
#include <filesystem>

#include "backend/libvirt_machines.hpp"

namespace ov {

namespace {

bool exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

}  // namespace

asio::awaitable<std::vector<std::string>> find_orphans(VmContext& context, Hypervisors& hypervisors, Deadline deadline) {
    std::vector<std::string> orphans;
    const std::string uri = default_libvirt_uri();
    if (!libvirt_is_built_in() || !libvirt_may_answer(uri)) co_return orphans;
    MachineBackend& libvirt = hypervisors.libvirt(uri);
    const std::vector<MachineRow> rows = co_await libvirt.list(deadline);
    for (const MachineRow& row : rows) {
        if (row.state != MachineState::shut_off || exists(context.vm_state_root() + "/" + row.name)) continue;
        const std::vector<std::string> disks = co_await libvirt.disks(row.name, deadline);
        if (std::none_of(disks.begin(), disks.end(), exists)) orphans.push_back(row.name);
    }
    co_return orphans;
}

asio::awaitable<void> undefine_orphan(VmContext&, Hypervisors& hypervisors, std::string name, Deadline deadline) {
    const UndefineOptions with_variables{false};
    co_await hypervisors.libvirt(default_libvirt_uri()).undefine(std::move(name), with_variables, deadline);
}

}  // namespace ov
