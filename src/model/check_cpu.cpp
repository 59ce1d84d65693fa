// `libvirt.cpu` (`vm-spec.md` 8.2).
#include <algorithm>
#include <set>

#include "model/vm_check.hpp"

namespace ov {

namespace {

using vm::Cpu;

void check_topology(VmCheck& check, const vm::CpuTopology& topology) {
    if (topology.empty()) return;
    const std::string path = "libvirt.cpu.topology";
    long long product = 1;
    const std::pair<std::string_view, const vm::Int*> parts[] = {
        {"sockets", &topology.sockets}, {"dies", &topology.dies}, {"cores", &topology.cores}, {"threads", &topology.threads}};
    for (const auto& [key, value] : parts) {
        if (*value && (**value < 1 || **value > 4096)) {
            check.error(fmt::format("{}.{}", path, key), fmt::format("expected a number from 1 to 4096, got {}", **value));
            return;
        }
        product *= value->value_or(1);
    }
    const long long cpus = vm::cpu_count(check.spec);
    if (product != cpus)
        check.error(path, fmt::format("sockets x dies x cores x threads is {}, the machine has {} CPUs; change cpu: or the "
                                      "topology",
                                      product, cpus));
}

void check_cpu_features(VmCheck& check, const Cpu& cpu) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < cpu.features.size(); ++i) {
        const vm::CpuFeature& feature = cpu.features[i];
        const std::string path = item_path("libvirt.cpu.features", i);
        if (check.need(path, "name", feature.name, "a CPU feature such as vmx") && !names.insert(feature.name).second)
            check.error(path + ".name", fmt::format("'{}' is listed twice", feature.name));
        check.one_of(path + ".policy", feature.policy, {"force", "require", "optional", "disable", "forbid"});
        const bool wanted = feature.policy != "disable" && feature.policy != "forbid";
        const std::string& vendor = check.facts.cpu_vendor;
        const bool foreign =
            (feature.name == "vmx" && vendor == "AuthenticAMD") || (feature.name == "svm" && vendor == "GenuineIntel");
        if (check.options.host_rules && wanted && foreign)
            check.error(path, fmt::format("the CPU feature {} does not exist on this host's {}; use {}", feature.name, vendor,
                                          feature.name == "vmx" ? "svm" : "vmx"));
    }
}

void check_cache(VmCheck& check, const Cpu& cpu) {
    const std::string path = "libvirt.cpu.cache";
    check.one_of(path + ".mode", cpu.cache.mode, {"emulate", "passthrough", "disable"});
    const long long level = cpu.cache.level.value_or(0);
    if (cpu.cache.mode.empty() && level != 0) check.error(path, "the key mode is missing");
    if (cpu.cache.mode == "emulate" && level != 3) check.error(path, "QEMU emulates the cache of level 3 only; write level: 3");
    if ((cpu.cache.mode == "passthrough" || cpu.cache.mode == "disable") && level != 0)
        check.error(path + ".level", fmt::format("has no meaning with mode: {}", cpu.cache.mode));
    if (cpu.cache.mode == "passthrough" && !cpu.mode.empty() && cpu.mode != "host-passthrough" && cpu.mode != "maximum")
        check.error(path + ".mode", "passthrough needs libvirt.cpu.mode: host-passthrough");
}

/// MiB of a cell; 0 when it is reported.
std::uint64_t cell_memory(VmCheck& check, const vm::NumaCell& cell, const std::string& path) {
    if (!check.need(path, "memory", cell.memory, "this cell's share of the guest's memory")) return 0;
    const std::string unit = cell.unit.empty() ? "MiB" : cell.unit;
    const auto bytes = vm::parse_size(cell.memory + unit, vm::SizeUnit::byte);
    if (!bytes) {
        check.error(path + ".memory", fmt::format("expected a number and a unit like MiB, got '{} {}'", cell.memory, unit));
        return 0;
    }
    return *bytes >> 20U;
}

void check_numa(VmCheck& check, const Cpu& cpu) {
    if (cpu.numa.empty()) return;
    std::uint64_t sum = 0;
    bool known = true;
    std::set<long long> ids;
    for (std::size_t i = 0; i < cpu.numa.size(); ++i) {
        const vm::NumaCell& cell = cpu.numa[i];
        const std::string path = item_path("libvirt.cpu.numa", i);
        const long long id = cell.id.value_or(static_cast<long long>(i));
        if (id < 0 || id >= static_cast<long long>(cpu.numa.size()))
            check.error(path + ".id", fmt::format("cells are numbered from 0 to {}, got {}", cpu.numa.size() - 1, id));
        if (!ids.insert(id).second) check.error(path + ".id", fmt::format("there is already a cell {}", id));
        check.need(path, "cpus", cell.cpus, "the vCPUs of this cell, like 0-1");
        if (cell.cpus.find_first_not_of("0123456789,-^") != std::string::npos)
            check.error(path + ".cpus", fmt::format("expected a list of CPUs like 0-1,4, got '{}'", cell.cpus));
        check.one_of(path + ".memaccess", cell.memaccess, {"shared", "private"});
        const std::uint64_t memory = cell_memory(check, cell, path);
        known = known && memory != 0;
        sum += memory;
    }
    const auto ram = static_cast<std::uint64_t>(vm::ram_mib(check.spec));
    if (known && sum != ram)
        check.error("libvirt.cpu.numa",
                    fmt::format("the cells hold {} MiB, the machine has {}; change ram: or the cells", sum, ram));
}

}  // namespace

void check_cpu(VmCheck& check) {
    const Cpu& cpu = check.spec.libvirt.cpu;
    check.one_of("libvirt.cpu.mode", cpu.mode, {"host-passthrough", "host-model", "custom", "maximum"});
    if (cpu.mode == "custom" && cpu.model.empty())
        check.error("libvirt.cpu", "the key libvirt.cpu.model is missing: mode: custom needs a model");
    if ((cpu.mode.empty() || cpu.mode == "host-passthrough" || cpu.mode == "maximum") && !cpu.model.empty())
        check.error("libvirt.cpu.model", "is for mode: custom only");
    check.one_of("libvirt.cpu.check", cpu.check, {"none", "partial", "full"});
    if (check.flag("libvirt.cpu.migratable", cpu.migratable) && !cpu.migratable.empty() &&
        (cpu.mode == "custom" || cpu.mode == "host-model"))
        check.error("libvirt.cpu.migratable", "is for mode: host-passthrough and mode: maximum only");
    check_topology(check, cpu.topology);
    check_cpu_features(check, cpu);
    check_cache(check, cpu);
    check_numa(check, cpu);
}

}  // namespace ov
