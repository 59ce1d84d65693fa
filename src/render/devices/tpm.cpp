#include "render/devices/devices.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

void add_tpms(pugi::xml_node devices, const Context& context) {
    for (const vm::Tpm& spec : context.devices().tpm) {
        pugi::xml_node tpm = add(devices, "tpm");
        set(tpm, "model", or_else(spec.model, "tpm-crb"));
        pugi::xml_node backend = add(tpm, "backend");
        const std::string type = or_else(text_of(spec.backend, "type"), "emulator");
        set(backend, "type", type);
        if (type == "emulator")
            set(backend, "version", or_else(text_of(spec.backend, "version"), "2.0"));
        else if (const std::string path = text_of(spec.backend, "path"); !path.empty())
            set(add(backend, "device"), "path", path);
    }
}

}  // namespace ov::render
