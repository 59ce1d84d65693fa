// The device list, in the order of `libvirt-renderer.md` 5.
#include "render/devices/devices.hpp"
#include "render/parts.hpp"
#include "render/xml.hpp"

namespace ov::render {

void add_devices(pugi::xml_node domain, const Context& context) {
    pugi::xml_node devices = add(domain, "devices");
    add_if(devices, "emulator", context.devices().emulator);
    add_disks(devices, context);
    add_usb_controllers(devices, context);
    add_filesystems(devices, context);
    add_default_interface(devices, context);
    add_interfaces(devices, context);
    add_smartcards(devices, context);
    add_serials(devices, context);
    add_parallels(devices, context);
    add_consoles(devices, context);
    add_channels(devices, context);
    add_inputs(devices, context);
    add_tpms(devices, context);
    add_graphics(devices, context);
    add_sounds(devices, context);
    add_audios(devices, context);
    add_videos(devices, context);
    add_hostdevs(devices, context);
    add_redirdevs(devices, context);
    add_hubs(devices, context);
    add_watchdogs(devices, context);
    add_memballoon(devices, context);
    add_rngs(devices, context);
    add_panics(devices, context);
    add_shmems(devices, context);
    add_iommu(devices, context);
    add_vsock(devices, context);
}

}  // namespace ov::render
