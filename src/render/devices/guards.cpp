// Devices that watch the guest: watchdog, panic notifier, memory balloon.
#include "render/devices/devices.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

void add_watchdogs(pugi::xml_node devices, const Context& context) {
    for (const vm::Watchdog& spec : context.devices().watchdog) {
        pugi::xml_node watchdog = add(devices, "watchdog");
        set(watchdog, "model", or_else(spec.model, "i6300esb"));
        set(watchdog, "action", spec.action);
    }
}

void add_panics(pugi::xml_node devices, const Context& context) {
    for (const vm::Panic& spec : context.devices().panic) {
        pugi::xml_node panic = add(devices, "panic");
        set(panic, "model", or_else(spec.model, "isa"));
        if (spec.address.empty()) continue;
        pugi::xml_node address = add(panic, "address");
        set(address, "type", or_else(text_of(spec.address, "type"), "isa"));
        set(address, "iobase", text_of(spec.address, "iobase"));
    }
}

void add_memballoon(pugi::xml_node devices, const Context& context) {
    const auto& spec = context.devices().memballoon;
    if (!spec) return;
    pugi::xml_node balloon = add(devices, "memballoon");
    set(balloon, "model", or_else(spec->model, "virtio"));
    set(balloon, "autodeflate", std::string(vm::on_off(spec->autodeflate)));
    if (spec->stats.period.value_or(0) > 0) set(add(balloon, "stats"), "period", spec->stats.period);
}

}  // namespace ov::render
