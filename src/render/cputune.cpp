#include "render/parts.hpp"
#include "render/xml.hpp"

namespace ov::render {

void add_cputune(pugi::xml_node domain, const vm::Cputune& cputune) {
    pugi::xml_node node = add(domain, "cputune");
    const std::pair<const char*, vm::Int> numbers[] = {
        {"shares", cputune.shares},
        {"period", cputune.period},
        {"quota", cputune.quota},
        {"global_period", cputune.global_period},
        {"global_quota", cputune.global_quota},
        {"emulator_period", cputune.emulator_period},
        {"emulator_quota", cputune.emulator_quota},
        {"iothread_period", cputune.iothread_period},
        {"iothread_quota", cputune.iothread_quota},
    };
    for (const auto& [name, number] : numbers)
        if (number.value_or(0) > 0) add(node, name, std::to_string(*number));
    for (const vm::VcpuPin& pin : cputune.vcpupin) {
        pugi::xml_node child = add(node, "vcpupin");
        set(child, "vcpu", pin.vcpu);
        set(child, "cpuset", pin.cpuset);
    }
    if (!cputune.emulatorpin.cpuset.empty()) set(add(node, "emulatorpin"), "cpuset", cputune.emulatorpin.cpuset);
    for (const vm::IothreadPin& pin : cputune.iothreadpin) {
        pugi::xml_node child = add(node, "iothreadpin");
        set(child, "iothread", pin.iothread);
        set(child, "cpuset", pin.cpuset);
    }
    if (is_blank(node)) domain.remove_child(node);
}

}  // namespace ov::render
