// The parts of a domain, one function an element family. Each appends to its parent what the spec asks for, and nothing for
// what is unset.
#pragma once

#include <pugixml.hpp>

#include "render/context.hpp"

namespace ov::render {

// Children of <domain>.
void add_memtune(pugi::xml_node domain, const vm::Memtune& memtune);
void add_memory_backing(pugi::xml_node domain, const vm::MemoryBacking& backing);
void add_cputune(pugi::xml_node domain, const vm::Cputune& cputune);
void add_numatune(pugi::xml_node domain, const vm::Numatune& numatune);
void add_resource(pugi::xml_node domain, const vm::Resource& resource);
void add_sysinfo(pugi::xml_node domain, const Context& context);
void add_os(pugi::xml_node domain, const Context& context);
void add_features(pugi::xml_node domain, const Context& context);
void add_cpu(pugi::xml_node domain, const Context& context);
void add_clock(pugi::xml_node domain, const vm::Clock& clock);
void add_devices(pugi::xml_node domain, const Context& context);
void add_seclabel(pugi::xml_node domain, const vm::Seclabel& seclabel);
void add_launch_security(pugi::xml_node domain, const vm::LaunchSecurity& security);

}  // namespace ov::render
