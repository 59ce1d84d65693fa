#include "render/qemu/cpu_argument.hpp"

#include <fmt/format.h>

#include "render/qemu/comma.hpp"
#include "render/words.hpp"

namespace ov::render::qemu {

namespace {

/// libvirt's modes in QEMU's words; `host-model` is no model of QEMU's, `max` is the nearest that also runs under TCG.
std::string model_of(const vm::Cpu& cpu, const std::string& mode) {
    if (mode == "host-model" || mode == "maximum") return "max";
    return mode == "custom" ? or_else(cpu.model, "host") : "host";
}

}  // namespace

std::string cpu_argument(const Context& context) {
    const vm::Cpu& cpu = context.libvirt().cpu;
    const std::string model = model_of(cpu, vm::cpu_mode_of(context.spec, context.accelerator));
    std::string out = doubled(model);
    if (model == "host") {
        if (vm::on_off(cpu.migratable) != "on") out += ",migratable=off";
        const std::string_view nested = vm::nested_feature(context.spec, context.vendor, context.accelerator);
        if (!nested.empty()) out += ",+" + std::string(nested);
    }
    for (const vm::CpuFeature& feature : cpu.features) {
        const bool off = feature.policy == "disable" || feature.policy == "forbid";
        out += (off ? ",-" : ",+") + doubled(feature.name);
    }
    return out;
}

std::string smp_argument(const Context& context) {
    std::string out = fmt::format("cpus={}", context.runtime.cpus);
    const vm::CpuTopology& topology = context.libvirt().cpu.topology;
    if (topology.empty()) return out;
    out += fmt::format(",sockets={}", topology.sockets.value_or(1));
    if (topology.dies) out += fmt::format(",dies={}", *topology.dies);
    out += fmt::format(",cores={},threads={}", topology.cores.value_or(1), topology.threads.value_or(1));
    return out;
}

}  // namespace ov::render::qemu
