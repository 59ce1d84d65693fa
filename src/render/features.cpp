#include "render/parts.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

/// `<name state="on"/>` for any accepted spelling; nothing when unset.
void add_state(pugi::xml_node parent, const char* name, const std::string& word) {
    if (!word.empty()) set(add(parent, name), "state", std::string(vm::on_off(word)));
}

void add_on(pugi::xml_node features, const char* name, vm::Bool flag) {
    if (flag.value_or(false)) set(add(features, name), "state", "on");
}

void add_hyperv(pugi::xml_node features, const vm::HypervFeatures& hyperv) {
    if (hyperv == vm::HypervFeatures{}) return;
    pugi::xml_node node = add(features, "hyperv");
    add_state(node, "relaxed", hyperv.relaxed);
    add_state(node, "vapic", hyperv.vapic);
    if (!hyperv.spinlocks.state.empty()) {
        add_state(node, "spinlocks", hyperv.spinlocks.state);
        set(node.last_child(), "retries", hyperv.spinlocks.retries);
    }
    add_state(node, "vpindex", hyperv.vpindex);
    add_state(node, "runtime", hyperv.runtime);
    add_state(node, "synic", hyperv.synic);
    add_state(node, "stimer", hyperv.stimer);
    add_state(node, "reset", hyperv.reset);
    if (!hyperv.vendor_id.state.empty()) {
        add_state(node, "vendor_id", hyperv.vendor_id.state);
        set(node.last_child(), "value", hyperv.vendor_id.value);
    }
    add_state(node, "frequencies", hyperv.frequencies);
    add_state(node, "reenlightenment", hyperv.reenlightenment);
    add_state(node, "tlbflush", hyperv.tlbflush);
    add_state(node, "ipi", hyperv.ipi);
    add_state(node, "evmcs", hyperv.evmcs);
}

void add_kvm(pugi::xml_node features, const vm::KvmFeatures& kvm) {
    pugi::xml_node node = add(features, "kvm");
    add_state(node, "hidden", kvm.hidden);
    add_state(node, "hint-dedicated", kvm.hint_dedicated);
    add_state(node, "poll-control", kvm.poll_control);
    add_state(node, "pv-ipi", kvm.pv_ipi);
    if (kvm.dirty_ring_size.value_or(0) > 0) {
        pugi::xml_node ring = add(node, "dirty-ring");
        set(ring, "state", "on");
        set(ring, "size", kvm.dirty_ring_size);
    }
    if (is_blank(node)) features.remove_child(node);
}

}  // namespace

void add_features(pugi::xml_node domain, const Context& context) {
    const vm::Features& features = context.libvirt().features;
    pugi::xml_node node = add(domain, "features");
    if (features.pae.value_or(false)) add(node, "pae");
    if (features.acpi.value_or(true)) add(node, "acpi");
    if (features.apic.value_or(true)) add(node, "apic");
    add_on(node, "hap", features.hap);
    add_hyperv(node, features.hyperv);
    add_kvm(node, features.kvm);
    add_on(node, "pmu", features.pmu);
    add_on(node, "vmport", features.vmport);
    add_on(node, "smm", features.smm);
    if (!features.ibs.empty()) set(add(node, "ibs"), "value", features.ibs);
}

}  // namespace ov::render
