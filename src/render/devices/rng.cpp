#include "render/devices/devices.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

void add_rngs(pugi::xml_node devices, const Context& context) {
    for (const vm::Rng& spec : context.devices().rng) {
        pugi::xml_node rng = add(devices, "rng");
        set(rng, "model", or_else(spec.model, "virtio"));
        if (spec.rate.bytes) {
            pugi::xml_node rate = add(rng, "rate");
            set(rate, "bytes", spec.rate.bytes);
            set(rate, "period", spec.rate.period);
        }
        const bool builtin = spec.backend == "builtin";
        pugi::xml_node backend = add(rng, "backend", builtin ? std::string() : or_else(spec.backend, "/dev/urandom"));
        set(backend, "model", builtin ? "builtin" : "random");
    }
}

}  // namespace ov::render
