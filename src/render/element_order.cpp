#include "render/element_order.hpp"

#include <algorithm>
#include <span>
#include <string>

namespace ov::render {

namespace {

// In the order in which they are written.
constexpr KnownElement domain_elements[] = {
    {"name", true},
    {"uuid", true},
    {"genid", true},
    {"title", true},
    {"description", true},
    {"metadata", true},
    {"maxMemory", true},
    {"memory", true},
    {"currentMemory", true},
    {"blkiotune", true},
    {"memtune", true},
    {"memoryBacking", true},
    {"vcpu", true},
    {"vcpus", true},
    {"iothreads", true},
    {"iothreadids", true},
    {"defaultiothread", true},
    {"cputune", true},
    {"numatune", true},
    {"resource", true},
    {"sysinfo", false},
    {"bootloader", true},
    {"bootloader_args", true},
    {"os", true},
    {"idmap", true},
    {"features", true},
    {"cpu", true},
    {"clock", true},
    {"on_poweroff", true},
    {"on_reboot", true},
    {"on_crash", true},
    {"on_lockfailure", true},
    {"pm", true},
    {"perf", true},
    {"throttlegroups", true},
    {"devices", true},
    {"seclabel", false},
    {"keywrap", true},
    {"launchSecurity", true},
    {"qemu:commandline", true},
    {"qemu:capabilities", true},
    {"qemu:override", true},
    {"qemu:deprecation", true},
};

constexpr KnownElement device_elements[] = {
    {"emulator", true},   {"disk", false},      {"controller", false}, {"lease", false},    {"filesystem", false},
    {"interface", false}, {"smartcard", false}, {"serial", false},     {"parallel", false}, {"console", false},
    {"channel", false},   {"input", false},     {"tpm", false},        {"graphics", false}, {"sound", false},
    {"audio", false},     {"video", false},     {"hostdev", false},    {"redirdev", false}, {"redirfilter", true},
    {"hub", false},       {"watchdog", false},  {"memballoon", true},  {"rng", false},      {"panic", false},
    {"shmem", false},     {"memory", false},    {"nvram", true},       {"iommu", true},     {"vsock", true},
    {"crypto", false},    {"pstore", true},
};

std::span<const KnownElement> table(Level level) noexcept {
    if (level == Level::domain) return domain_elements;
    return device_elements;
}

/// Unknown names come last.
std::ptrdiff_t rank(Level level, std::string_view name) noexcept {
    const auto elements = table(level);
    return std::find_if(elements.begin(), elements.end(), [&](const KnownElement& e) { return e.name == name; }) -
           elements.begin();
}

}  // namespace

const KnownElement* find_element(Level level, std::string_view name) noexcept {
    const auto elements = table(level);
    const auto found = std::find_if(elements.begin(), elements.end(), [&](const KnownElement& e) { return e.name == name; });
    return found == elements.end() ? nullptr : &*found;
}

pugi::xml_node insert_in_order(pugi::xml_node parent, Level level, std::string_view name) {
    const std::ptrdiff_t own = rank(level, name);
    pugi::xml_node before;
    for (const pugi::xml_node child : parent.children())
        if (rank(level, child.name()) <= own) before = child;
    const std::string text(name);
    return before ? parent.insert_child_after(text.c_str(), before) : parent.prepend_child(text.c_str());
}

}  // namespace ov::render
