// The values of -cpu and -smp.
#pragma once

#include <string>

#include "render/context.hpp"

namespace ov::render::qemu {

std::string cpu_argument(const Context& context);
std::string smp_argument(const Context& context);

}  // namespace ov::render::qemu
