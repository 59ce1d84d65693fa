// Sound cards and the host sides they play to.
#include <set>

#include "render/devices/devices.hpp"
#include "render/xml.hpp"

namespace ov::render {

void add_sounds(pugi::xml_node devices, const Context& context) {
    for (const vm::Sound& spec : context.devices().sound) set(add(devices, "sound"), "model", spec.model);
}

void add_audios(pugi::xml_node devices, const Context& context) {
    std::set<long long> taken;
    for (const vm::Audio& spec : context.devices().audio)
        if (spec.id.value_or(0) > 0) taken.insert(*spec.id);
    long long next = 1;
    for (const vm::Audio& spec : context.devices().audio) {
        long long id = spec.id.value_or(0);
        if (id <= 0) {
            while (!taken.insert(next).second) ++next;
            id = next;
        }
        pugi::xml_node audio = add(devices, "audio");
        set_number(audio, "id", id);
        set(audio, "type", spec.type == "pulse" ? std::string("pulseaudio") : spec.type);
    }
}

}  // namespace ov::render
