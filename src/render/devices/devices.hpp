// Children of <devices>, one function a device family; each appends all devices of its kind.
#pragma once

#include <pugixml.hpp>

#include "render/context.hpp"

namespace ov::render {

void add_disks(pugi::xml_node devices, const Context& context);
void add_usb_controllers(pugi::xml_node devices, const Context& context);
void add_filesystems(pugi::xml_node devices, const Context& context);
void add_default_interface(pugi::xml_node devices, const Context& context);
void add_interfaces(pugi::xml_node devices, const Context& context);
void add_smartcards(pugi::xml_node devices, const Context& context);
void add_serials(pugi::xml_node devices, const Context& context);
void add_parallels(pugi::xml_node devices, const Context& context);
void add_consoles(pugi::xml_node devices, const Context& context);
void add_channels(pugi::xml_node devices, const Context& context);
void add_inputs(pugi::xml_node devices, const Context& context);
void add_tpms(pugi::xml_node devices, const Context& context);
void add_graphics(pugi::xml_node devices, const Context& context);
void add_sounds(pugi::xml_node devices, const Context& context);
void add_audios(pugi::xml_node devices, const Context& context);
void add_videos(pugi::xml_node devices, const Context& context);
void add_hostdevs(pugi::xml_node devices, const Context& context);
void add_redirdevs(pugi::xml_node devices, const Context& context);
void add_hubs(pugi::xml_node devices, const Context& context);
void add_watchdogs(pugi::xml_node devices, const Context& context);
void add_memballoon(pugi::xml_node devices, const Context& context);
void add_rngs(pugi::xml_node devices, const Context& context);
void add_panics(pugi::xml_node devices, const Context& context);
void add_shmems(pugi::xml_node devices, const Context& context);
void add_iommu(pugi::xml_node devices, const Context& context);
void add_vsock(pugi::xml_node devices, const Context& context);

}  // namespace ov::render
