// `libvirt` of a VM entity, all but CPU, tuning and devices (`vm-spec.md` 8, 8.1, 8.3, 8.6).
#include "spec/vm_fields.hpp"

namespace ov::spec {

void describe(FieldVisitor& v, vm::KvmFeatures& kvm) {
    v.text("hidden", kvm.hidden);
    v.text("hint_dedicated", kvm.hint_dedicated);
    v.text("poll_control", kvm.poll_control);
    v.text("pv_ipi", kvm.pv_ipi);
    v.integer("dirty_ring_size", kvm.dirty_ring_size);
}

void describe(FieldVisitor& v, vm::HypervVendorId& id) {
    v.text("state", id.state);
    v.text("value", id.value);
}

void describe(FieldVisitor& v, vm::HypervSpinlocks& spinlocks) {
    v.text("state", spinlocks.state);
    v.integer("retries", spinlocks.retries);
}

void describe(FieldVisitor& v, vm::HypervFeatures& hyperv) {
    v.text("relaxed", hyperv.relaxed);
    v.text("vapic", hyperv.vapic);
    v.block("spinlocks", hyperv.spinlocks);
    v.text("vpindex", hyperv.vpindex);
    v.text("runtime", hyperv.runtime);
    v.text("synic", hyperv.synic);
    v.text("stimer", hyperv.stimer);
    v.text("reset", hyperv.reset);
    v.block("vendor_id", hyperv.vendor_id);
    v.text("frequencies", hyperv.frequencies);
    v.text("reenlightenment", hyperv.reenlightenment);
    v.text("tlbflush", hyperv.tlbflush);
    v.text("ipi", hyperv.ipi);
    v.text("evmcs", hyperv.evmcs);
}

void describe(FieldVisitor& v, vm::Features& features) {
    v.boolean("acpi", features.acpi);
    v.boolean("apic", features.apic);
    v.boolean("pae", features.pae);
    v.boolean("smm", features.smm);
    v.boolean("hap", features.hap);
    v.boolean("vmport", features.vmport);
    v.boolean("pmu", features.pmu);
    v.text("ibs", features.ibs);
    v.block("kvm", features.kvm);
    v.block("hyperv", features.hyperv);
}

void describe(FieldVisitor& v, vm::Timer& timer) {
    v.text("name", timer.name);
    v.text("present", timer.present);
    v.text("track", timer.track);
    v.text("tickpolicy", timer.tickpolicy);
    v.integer("frequency", timer.frequency);
    v.text("mode", timer.mode);
}

void describe(FieldVisitor& v, vm::Clock& clock) {
    v.text("offset", clock.offset);
    v.text("timezone", clock.timezone);
    v.text("adjustment", clock.adjustment);
    v.text("basis", clock.basis);
    v.integer("start", clock.start);
    v.list("timers", clock.timers);
}

void describe(FieldVisitor& v, vm::Seclabel& label) {
    v.text("type", label.type);
    v.text("model", label.model);
    v.text("relabel", label.relabel);
    v.text("label", label.label);
    v.text("baselabel", label.baselabel);
    v.text("imagelabel", label.imagelabel);
}

void describe(FieldVisitor& v, vm::LaunchSecurity& security) {
    v.text("type", security.type);
    v.text("policy", security.policy);
    v.integer("cbitpos", security.cbitpos);
    v.integer("reduced_phys_bits", security.reduced_phys_bits);
    v.text("dh_cert", security.dh_cert);
    v.text("session", security.session);
    v.text("kernel_hashes", security.kernel_hashes);
}

void describe(FieldVisitor& v, vm::Resource& resource) {
    v.text("partition", resource.partition);
    v.text_map("fibrechannel", resource.fibrechannel, {"appid"});
}

void describe(FieldVisitor& v, vm::Sysinfo& sysinfo) {
    v.text("type", sysinfo.type);
    v.text_map("bios", sysinfo.bios, {});
    v.text_map("system", sysinfo.system, {});
    v.text_map("chassis", sysinfo.chassis, {});
    v.text_maps("baseboard", sysinfo.baseboard);
    v.text_maps("processor", sysinfo.processor);
    v.text_list("oem_strings", sysinfo.oem_strings);
}

void describe(FieldVisitor& v, vm::Hypervisor& libvirt) {
    v.text("uri", libvirt.uri);
    v.text_list("snippets", libvirt.snippets);
    v.text("xml_passthrough", libvirt.xml_passthrough);
    v.block("features", libvirt.features);
    v.block("cpu", libvirt.cpu);
    v.block("clock", libvirt.clock);
    v.block("memory_backing", libvirt.memory_backing);
    v.block("memtune", libvirt.memtune);
    v.block("numatune", libvirt.numatune);
    v.block("cputune", libvirt.cputune);
    v.integer("iothreads", libvirt.iothreads);
    v.block("devices", libvirt.devices);
    v.block("seclabel", libvirt.seclabel);
    v.block("launch_security", libvirt.launch_security);
    v.block("resource", libvirt.resource);
    v.block("sysinfo", libvirt.sysinfo);
}

}  // namespace ov::spec
