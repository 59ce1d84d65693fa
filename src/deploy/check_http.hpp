// One HTTP request as a check makes it. Blocks: for the pool.
#pragma once

#include <chrono>

#include "deploy/check_probe.hpp"

namespace ov {

CheckVerdict check_http(const Check& check, std::chrono::milliseconds limit);

}  // namespace ov
