#include "render/parts.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

void add_topology(pugi::xml_node cpu, const vm::CpuTopology& topology) {
    if (topology.empty()) return;
    // libvirt wants all three; what the author left out is one.
    pugi::xml_node node = add(cpu, "topology");
    set_number(node, "sockets", topology.sockets.value_or(1));
    set(node, "dies", topology.dies);
    set_number(node, "cores", topology.cores.value_or(1));
    set_number(node, "threads", topology.threads.value_or(1));
}

void add_feature(pugi::xml_node cpu, const std::string& policy, const std::string& name) {
    pugi::xml_node node = add(cpu, "feature");
    set(node, "policy", policy);
    set(node, "name", name);
}

void add_numa(pugi::xml_node cpu, const std::vector<vm::NumaCell>& cells) {
    if (cells.empty()) return;
    pugi::xml_node numa = add(cpu, "numa");
    long long index = 0;
    for (const vm::NumaCell& cell : cells) {
        pugi::xml_node node = add(numa, "cell");
        set_number(node, "id", cell.id.value_or(index++));
        set(node, "cpus", cell.cpus);
        set(node, "memory", cell.memory);
        set(node, "unit", or_else(cell.unit, "MiB"));
        set(node, "memAccess", cell.memaccess);
    }
}

}  // namespace

void add_cpu(pugi::xml_node domain, const Context& context) {
    const vm::Cpu& cpu = context.libvirt().cpu;
    pugi::xml_node node = add(domain, "cpu");
    set(node, "mode", vm::cpu_mode_of(context.spec, context.accelerator));
    set(node, "check", or_else(cpu.check, "none"));
    set(node, "migratable", std::string(vm::on_off(cpu.migratable)));
    add_if(node, "model", cpu.model);
    add_topology(node, cpu.topology);
    if (!cpu.cache.mode.empty()) {
        pugi::xml_node cache = add(node, "cache");
        if (cpu.cache.level.value_or(0) > 0) set(cache, "level", cpu.cache.level);
        set(cache, "mode", cpu.cache.mode);
    }
    for (const vm::CpuFeature& feature : cpu.features) add_feature(node, or_else(feature.policy, "require"), feature.name);
    const std::string nested(vm::nested_feature(context.spec, context.vendor, context.accelerator));
    if (!nested.empty()) add_feature(node, "require", nested);
    add_numa(node, cpu.numa);
}

}  // namespace ov::render
