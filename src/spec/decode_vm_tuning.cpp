// `libvirt.cpu`, `memory_backing`, `memtune`, `numatune`, `cputune` (`vm-spec.md` 8.2, 8.4, 8.5).
#include "spec/vm_fields.hpp"

namespace ov::spec {

void describe(FieldVisitor& v, vm::CpuTopology& topology) {
    v.integer("sockets", topology.sockets);
    v.integer("dies", topology.dies);
    v.integer("cores", topology.cores);
    v.integer("threads", topology.threads);
}

void describe(FieldVisitor& v, vm::CpuFeature& feature) {
    v.text("policy", feature.policy);
    v.text("name", feature.name);
}

void describe(FieldVisitor& v, vm::CpuCache& cache) {
    v.text("mode", cache.mode);
    v.integer("level", cache.level);
}

void describe(FieldVisitor& v, vm::NumaCell& cell) {
    v.integer("id", cell.id);
    v.text("cpus", cell.cpus);
    v.text("memory", cell.memory);
    v.text("unit", cell.unit);
    v.text("memaccess", cell.memaccess);
}

void describe(FieldVisitor& v, vm::Cpu& cpu) {
    v.text("mode", cpu.mode);
    v.text("model", cpu.model);
    v.text("check", cpu.check);
    v.text("migratable", cpu.migratable);
    v.block("topology", cpu.topology);
    v.list("features", cpu.features);
    v.block("cache", cpu.cache);
    v.list("numa", cpu.numa);
}

void describe(FieldVisitor& v, vm::Hugepages& pages) {
    v.text("size", pages.size);
    v.text("nodeset", pages.nodeset);
}

void describe(FieldVisitor& v, vm::MemoryBacking& backing) {
    v.block("hugepages", backing.hugepages);
    v.boolean("nosharepages", backing.nosharepages);
    v.boolean("locked", backing.locked);
    v.boolean("discard", backing.discard);
    v.text("source", backing.source);
    v.text("access", backing.access);
    v.text("allocation", backing.allocation);
}

void describe(FieldVisitor& v, vm::Memtune& tune) {
    v.text("hard_limit", tune.hard_limit);
    v.text("soft_limit", tune.soft_limit);
    v.text("swap_hard_limit", tune.swap_hard_limit);
    v.text("min_guarantee", tune.min_guarantee);
}

void describe(FieldVisitor& v, vm::NumaMemory& memory) {
    v.text("mode", memory.mode);
    v.text("nodeset", memory.nodeset);
    v.text("placement", memory.placement);
}

void describe(FieldVisitor& v, vm::NumaNode& node) {
    v.integer("cellid", node.cellid);
    v.text("mode", node.mode);
    v.text("nodeset", node.nodeset);
}

void describe(FieldVisitor& v, vm::Numatune& tune) {
    v.block("memory", tune.memory);
    v.list("memnodes", tune.memnodes);
}

void describe(FieldVisitor& v, vm::VcpuPin& pin) {
    v.integer("vcpu", pin.vcpu);
    v.text("cpuset", pin.cpuset);
}

void describe(FieldVisitor& v, vm::EmulatorPin& pin) {
    v.text("cpuset", pin.cpuset);
}

void describe(FieldVisitor& v, vm::IothreadPin& pin) {
    v.integer("iothread", pin.iothread);
    v.text("cpuset", pin.cpuset);
}

void describe(FieldVisitor& v, vm::Cputune& tune) {
    v.integer("shares", tune.shares);
    v.integer("period", tune.period);
    v.integer("quota", tune.quota);
    v.integer("global_period", tune.global_period);
    v.integer("global_quota", tune.global_quota);
    v.integer("emulator_period", tune.emulator_period);
    v.integer("emulator_quota", tune.emulator_quota);
    v.integer("iothread_period", tune.iothread_period);
    v.integer("iothread_quota", tune.iothread_quota);
    v.list("vcpupin", tune.vcpupin);
    v.block("emulatorpin", tune.emulatorpin);
    v.list("iothreadpin", tune.iothreadpin);
}

}  // namespace ov::spec
