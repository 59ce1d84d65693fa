#include "ov/vm_runtime.hpp"

#include "ov/vm_defaults.hpp"

namespace ov {

VmRuntime default_runtime(const VmSpec& spec, const HostFacts& facts, const VmPlaces& places) {
    VmRuntime runtime;
    runtime.name = vm::domain_name(spec, places.instance);
    if (spec.source.kind == "imported") {
        runtime.disk = spec.source.disk_path;
        if (!spec.source.disk_format.empty()) runtime.disk_format = spec.source.disk_format;
    } else {
        runtime.disk = places.project + "/output/qcow2/" + spec.name;
        if (!places.instance.empty()) runtime.disk += "/" + places.instance;
        runtime.disk += "/disk.qcow2";
    }
    runtime.arch = facts.arch;
    runtime.cpu_vendor = facts.cpu_vendor;
    runtime.ram_mb = vm::ram_mib(spec);
    runtime.cpus = vm::cpu_count(spec);
    // An instance's port is always allocated (decisions 30).
    runtime.ssh_port = places.instance.empty() && vm::network_mode(spec) == "user" ? vm::ssh_port(spec) : 0;
    runtime.state_dir = places.vm_state + "/" + runtime.name;
    runtime.host_ids = {facts.uid, facts.gid, facts.subuid, facts.subgid};
    const FirmwareMode firmware = vm::firmware_of(spec, runtime.arch);
    if (firmware != FirmwareMode::bios) runtime.nvram = runtime.state_dir + "/nvram.fd";
    if (const FirmwareImage* image = vm::pick_firmware(facts, firmware)) {
        runtime.ovmf_code = image->code;
        runtime.ovmf_vars_template = image->vars;
        runtime.ovmf_format = image->format;
    }
    runtime.qemu_paths = {runtime.state_dir + "/monitor.sock", runtime.state_dir + "/qmp.sock",
                          runtime.state_dir + "/console.sock", runtime.state_dir + "/qemu.pid"};
    return runtime;
}

}  // namespace ov
