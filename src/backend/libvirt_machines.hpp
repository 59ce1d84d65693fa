// Machines as libvirt domains, through libvirt's C API: calls on the blocking pool, the end of a domain by lifecycle event.
//
// libvirt's event implementation is process-wide: it is registered on first use of a libvirt backend, with one thread of its own
// that lives until the process ends (decisions 44). libvirt's error printing is switched off at the same moment.
#pragma once

#include <memory>
#include <string>

#include "async/runtime.hpp"
#include "backend/machine_backend.hpp"

namespace ov {

/// Whether this program was built with libvirt (Meson option `libvirt`).
bool libvirt_is_built_in() noexcept;

/// `uri` as libvirt takes it: "qemu:///session", "qemu+ssh://user@host/system". Connects on first use, again when the daemon went
/// away in between. Throws Error{unsupported} when libvirt is not built in.
std::unique_ptr<MachineBackend> make_libvirt_machines(Runtime& runtime, std::string uri);

}  // namespace ov
