// What one part of a domain demands of another, decided in one place and on the merged tree, so that devices from raw XML count
// like any other: shared memory and id map for virtiofs, SMM for secure boot, a display adapter for a display, a USB controller
// for USB devices, the boot order, the switch that shows SMBIOS strings to the guest, and port forwards without passt.
#pragma once

#include <pugixml.hpp>

#include "render/context.hpp"

namespace ov::render {

void apply_couplings(pugi::xml_node domain, const Context& context);

/// Whether the forwards of the default interface go by QEMU's own command line: this host's libvirt refuses passt.
bool forwards_by_commandline(const Context& context);

}  // namespace ov::render
