#include <string>

#include "ov/render.hpp"
#include "render/couplings.hpp"
#include "render/markup.hpp"
#include "render/parts.hpp"
#include "render/text_check.hpp"
#include "render/xml.hpp"

namespace ov {

namespace {

using namespace render;

void add_mib(pugi::xml_node domain, const char* name, long long mib) {
    pugi::xml_node node = add(domain, name, std::to_string(mib));
    set(node, "unit", "MiB");
}

/// What the spec says, in the order of `libvirt-renderer.md` 3.
void add_authored(pugi::xml_node domain, const Context& context) {
    const vm::Hypervisor& libvirt = context.libvirt();
    add(domain, "name", context.runtime.name);
    add_mib(domain, "memory", context.runtime.ram_mb);
    add_mib(domain, "currentMemory", context.runtime.ram_mb);
    add_memtune(domain, libvirt.memtune);
    add_memory_backing(domain, libvirt.memory_backing);
    set(add(domain, "vcpu", std::to_string(context.runtime.cpus)), "placement", "static");
    if (libvirt.iothreads.value_or(0) > 0) add(domain, "iothreads", std::to_string(*libvirt.iothreads));
    add_cputune(domain, libvirt.cputune);
    add_numatune(domain, libvirt.numatune);
    add_resource(domain, libvirt.resource);
    add_sysinfo(domain, context);
    add_os(domain, context);
    add_features(domain, context);
    add_cpu(domain, context);
    add_clock(domain, libvirt.clock);
    add(domain, "on_poweroff", "destroy");
    add(domain, "on_reboot", "restart");
    add(domain, "on_crash", "destroy");
    add_devices(domain, context);
    add_seclabel(domain, libvirt.seclabel);
    add_launch_security(domain, libvirt.launch_security);
}

}  // namespace

std::string render_domain(const VmSpec& spec, const HostFacts& facts, const VmRuntime& runtime) {
    const Context context(spec, facts, runtime);
    pugi::xml_document document;
    pugi::xml_node domain = document.append_child("domain");
    set(domain, "type", context.accelerator == Accelerator::kvm ? "kvm" : "qemu");
    add_authored(domain, context);
    merge_markup(domain, spec, runtime);
    apply_couplings(domain, context);
    require_xml_text(document, spec);
    return to_text(document);
}

}  // namespace ov
