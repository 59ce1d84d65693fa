#include "render/devices/devices.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

void set_kib(pugi::xml_node model, const char* name, const std::string& size) {
    const auto bytes = vm::parse_size(size, vm::SizeUnit::kib);
    if (bytes) set_number(model, name, static_cast<long long>(*bytes / 1024));
}

}  // namespace

void add_videos(pugi::xml_node devices, const Context& context) {
    for (const vm::Video& spec : context.devices().video) {
        pugi::xml_node model = add(add(devices, "video"), "model");
        set(model, "type", spec.model);
        if (spec.heads.value_or(0) > 0) set(model, "heads", spec.heads);
        set_kib(model, "ram", spec.ram);
        set_kib(model, "vram", spec.vram);
        set_kib(model, "vram64", spec.vram64);
        set_kib(model, "vgamem", spec.vgamem);
        if (spec.primary) set(model, "primary", yes_no_word(*spec.primary));
        if (spec.accel3d) set(add(model, "acceleration"), "accel3d", yes_no_word(*spec.accel3d));
    }
}

}  // namespace ov::render
