// What every part of the domain renderer is given: the spec, the host's facts, the runtime parameters, and what follows from
// them once for all.
#pragma once

#include <string>

#include "ov/vm_defaults.hpp"
#include "ov/vm_runtime.hpp"

namespace ov::render {

struct Context {
    const VmSpec& spec;
    const HostFacts& facts;
    const VmRuntime& runtime;
    Accelerator accelerator;
    std::string arch, vendor, machine;

    Context(const VmSpec& spec_, const HostFacts& facts_, const VmRuntime& runtime_);

    const vm::Hypervisor& libvirt() const noexcept { return spec.libvirt; }
    const vm::Devices& devices() const noexcept { return spec.libvirt.devices; }
    /// Forwards go through `<backend type='passt'/>`; else QEMU's own command line carries them.
    /// A host whose libvirt is unknown is taken to have it.
    bool has_passt() const noexcept { return !facts.libvirt || facts.libvirt->passt; }
};

}  // namespace ov::render
