// `libvirt.memory_backing`, `memtune`, `numatune`, `cputune`, `iothreads` (`vm-spec.md` 8.4, 8.5).
#include <algorithm>
#include <set>

#include "model/vm_check.hpp"

namespace ov {

namespace {

void id_list(VmCheck& check, const std::string& path, std::string_view text, std::string_view what) {
    if (!text.empty() && text.find_first_not_of("0123456789,-^") != std::string_view::npos)
        check.error(path, fmt::format("expected a list of {} like 0-3,^2, got '{}'", what, text));
}

void check_memory_backing(VmCheck& check) {
    const vm::MemoryBacking& backing = check.spec.libvirt.memory_backing;
    const std::string path = "libvirt.memory_backing";
    if (backing.hugepages) {
        check.size(path + ".hugepages.size", backing.hugepages->size, vm::SizeUnit::kib);
        id_list(check, path + ".hugepages.nodeset", backing.hugepages->nodeset, "guest NUMA cells");
        if (!backing.hugepages->nodeset.empty() && backing.hugepages->size.empty())
            check.error(path + ".hugepages", "the key size is missing: a nodeset is for pages of one size");
        if (!backing.hugepages->nodeset.empty() && check.spec.libvirt.cpu.numa.empty())
            check.error(path + ".hugepages.nodeset", "needs guest cells: libvirt.cpu.numa");
        if (backing.source == "anonymous") check.error(path + ".source", "anonymous memory cannot be on huge pages");
    }
    check.one_of(path + ".source", backing.source, {"file", "anonymous", "memfd"});
    check.one_of(path + ".access", backing.access, {"shared", "private"});
    check.one_of(path + ".allocation", backing.allocation, {"immediate", "ondemand"});
    if (!vm::wants_shared_memory(check.spec)) return;
    if (backing.access == "private")
        check.error(path + ".access", "a virtiofs share needs shared memory; remove access: private");
    if (backing.source == "anonymous")
        check.error(path + ".source", "a virtiofs share needs shared memory; use memfd or remove the source");
}

void check_memtune(VmCheck& check) {
    const vm::Memtune& tune = check.spec.libvirt.memtune;
    const std::string path = "libvirt.memtune";
    const auto hard = check.size(path + ".hard_limit", tune.hard_limit, vm::SizeUnit::kib);
    check.size(path + ".soft_limit", tune.soft_limit, vm::SizeUnit::kib);
    const auto swap = check.size(path + ".swap_hard_limit", tune.swap_hard_limit, vm::SizeUnit::kib);
    check.size(path + ".min_guarantee", tune.min_guarantee, vm::SizeUnit::kib);
    check.refuse(path + ".min_guarantee", !tune.min_guarantee.empty(),
                 "QEMU machines cannot have a guaranteed minimum; remove it");
    if (hard && swap && *swap < *hard) check.error(path + ".swap_hard_limit", "memory and swap together are below hard_limit");
    if (hard && (*hard >> 20U) < static_cast<std::uint64_t>(vm::ram_mib(check.spec)))
        check.warning(path + ".hard_limit", "is below the guest's memory: the machine will be killed when it uses it");
}

void check_numatune(VmCheck& check) {
    const vm::Numatune& tune = check.spec.libvirt.numatune;
    const std::string path = "libvirt.numatune";
    check.one_of(path + ".memory.mode", tune.memory.mode, {"strict", "preferred", "interleave", "restrictive"});
    check.one_of(path + ".memory.placement", tune.memory.placement, {"static", "auto"});
    id_list(check, path + ".memory.nodeset", tune.memory.nodeset, "host NUMA nodes");
    const bool placed_by_hand = tune.memory.placement != "auto";
    if (!placed_by_hand && !tune.memory.nodeset.empty())
        check.error(path + ".memory.nodeset", "has no meaning with placement: auto");
    if (placed_by_hand && tune.memory != vm::NumaMemory{} && tune.memory.nodeset.empty())
        check.error(path + ".memory", "the key nodeset is missing: the host's NUMA nodes, like 0-1");
    std::set<long long> cells;
    for (std::size_t i = 0; i < tune.memnodes.size(); ++i) {
        const vm::NumaNode& node = tune.memnodes[i];
        const std::string item = item_path(path + ".memnodes", i);
        check.one_of(item + ".mode", node.mode, {"strict", "preferred", "interleave", "restrictive"});
        check.need(item, "nodeset", node.nodeset, "the host's NUMA nodes, like 0");
        id_list(check, item + ".nodeset", node.nodeset, "host NUMA nodes");
        const auto count = static_cast<long long>(check.spec.libvirt.cpu.numa.size());
        if (!node.cellid)
            check.error(item, "the key cellid is missing: the guest's cell");
        else if (*node.cellid < 0 || *node.cellid >= count)
            check.error(item + ".cellid", fmt::format("there is no guest cell {}: libvirt.cpu.numa has {}", *node.cellid, count));
        else if (!cells.insert(*node.cellid).second)
            check.error(item + ".cellid", fmt::format("cell {} is listed twice", *node.cellid));
        if ((node.mode == "restrictive") != (tune.memory.mode == "restrictive") && !tune.memory.mode.empty())
            check.error(item + ".mode", "restrictive is for all nodes or none");
    }
}

void check_pins(VmCheck& check, const vm::Cputune& tune, const std::string& path) {
    std::set<long long> cpus, threads;
    for (std::size_t i = 0; i < tune.vcpupin.size(); ++i) {
        const vm::VcpuPin& pin = tune.vcpupin[i];
        const std::string item = item_path(path + ".vcpupin", i);
        if (!pin.vcpu)
            check.error(item, "the key vcpu is missing");
        else if (*pin.vcpu < 0 || *pin.vcpu >= vm::cpu_count(check.spec))
            check.error(item + ".vcpu",
                        fmt::format("there is no vCPU {}: they count from 0 to {}", *pin.vcpu, vm::cpu_count(check.spec) - 1));
        else if (!cpus.insert(*pin.vcpu).second)
            check.error(item + ".vcpu", fmt::format("vCPU {} is pinned twice", *pin.vcpu));
        check.need(item, "cpuset", pin.cpuset, "the host's CPUs, like 2-3");
        id_list(check, item + ".cpuset", pin.cpuset, "host CPUs");
    }
    id_list(check, path + ".emulatorpin.cpuset", tune.emulatorpin.cpuset, "host CPUs");
    const long long available = check.spec.libvirt.iothreads.value_or(0);
    for (std::size_t i = 0; i < tune.iothreadpin.size(); ++i) {
        const vm::IothreadPin& pin = tune.iothreadpin[i];
        const std::string item = item_path(path + ".iothreadpin", i);
        if (!pin.iothread)
            check.error(item, "the key iothread is missing");
        else if (*pin.iothread < 1 || *pin.iothread > available)
            check.error(item + ".iothread",
                        fmt::format("there is no iothread {}: libvirt.iothreads is {}", *pin.iothread, available));
        else if (!threads.insert(*pin.iothread).second)
            check.error(item + ".iothread", fmt::format("iothread {} is pinned twice", *pin.iothread));
        check.need(item, "cpuset", pin.cpuset, "the host's CPUs, like 2-3");
        id_list(check, item + ".cpuset", pin.cpuset, "host CPUs");
    }
}

void check_cputune(VmCheck& check) {
    const vm::Cputune& tune = check.spec.libvirt.cputune;
    const std::string path = "libvirt.cputune";
    // 0 is "not set"; the limits are those of the kernel's scheduler, in microseconds.
    const auto value = [&](std::string_view key, const vm::Int& number, long long least, long long most) {
        if (number && *number != 0) check.in_range(fmt::format("{}.{}", path, key), number, least, most);
    };
    constexpr long long longest = 18'446'744'073'709'551;
    value("shares", tune.shares, 2, 262'144);
    value("period", tune.period, 1000, 1'000'000);
    value("global_period", tune.global_period, 1000, 1'000'000);
    value("emulator_period", tune.emulator_period, 1000, 1'000'000);
    value("iothread_period", tune.iothread_period, 1000, 1'000'000);
    value("quota", tune.quota, 1000, longest);
    value("global_quota", tune.global_quota, 1000, longest);
    value("emulator_quota", tune.emulator_quota, 1000, longest);
    value("iothread_quota", tune.iothread_quota, 1000, longest);
    check_pins(check, tune, path);
}

}  // namespace

void check_tuning(VmCheck& check) {
    check_memory_backing(check);
    check_memtune(check);
    check_numatune(check);
    check_cputune(check);
    check.in_range("libvirt.iothreads", check.spec.libvirt.iothreads, 0, 1024);
}

}  // namespace ov
