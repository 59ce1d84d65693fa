// The machine's network card as QEMU's command line says it; also what libvirt is given where it refuses passt.
#pragma once

#include <string>

#include "render/context.hpp"

namespace ov::render::qemu {

struct UserNic {
    std::string netdev;  ///< "user,id=n0,hostfwd=tcp:127.0.0.1:2222-:22"
    std::string device;  ///< "virtio-net-pci,netdev=n0,mac=..."
};

UserNic user_nic(const Context& context);
/// The card of the entity's own mode; nat and network fall back to user mode.
UserNic default_nic(const Context& context);

}  // namespace ov::render::qemu
