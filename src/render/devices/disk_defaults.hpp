// What an author's disk is when the entity does not say: format and target (`libvirt-renderer.md` W9). Used by the domain and
// by QEMU's argv.
#pragma once

#include <string>
#include <vector>

#include "ov/devices.hpp"

namespace ov::render {

/// `driver.type`, else by the name of the file: `.qcow2` or raw. Never left to probing: a raw disk could name another file.
std::string disk_format(const vm::Disk& disk);

struct DiskTarget {
    std::string dev, bus;
};
/// One per disk: authored, or the next free name (sdX on SATA for a cdrom, vdX on virtio for others). vda and sda are the
/// machine's own.
std::vector<DiskTarget> disk_targets(const std::vector<vm::Disk>& disks);

}  // namespace ov::render
