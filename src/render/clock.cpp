#include "render/parts.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

void add_clock(pugi::xml_node domain, const vm::Clock& clock) {
    pugi::xml_node node = add(domain, "clock");
    set(node, "offset", or_else(clock.offset, "utc"));
    set(node, "timezone", clock.timezone);
    set(node, "adjustment", clock.adjustment);
    set(node, "basis", clock.basis);
    set(node, "start", clock.start);
    for (const vm::Timer& timer : clock.timers) {
        pugi::xml_node child = add(node, "timer");
        set(child, "name", timer.name);
        set(child, "track", timer.track);
        set(child, "tickpolicy", timer.tickpolicy);
        if (timer.frequency.value_or(0) > 0) set(child, "frequency", timer.frequency);
        set(child, "mode", timer.mode);
        set(child, "present", std::string(vm::yes_no(timer.present)));
    }
}

}  // namespace ov::render
