// The rules of layers that installing does not enforce, and those it does, all at once (`layer-format.md` 16).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ov/diagnostic.hpp"
#include "ov/layer.hpp"

namespace ov {

/// Findings about the layers named by `keys` (none: all of them), sorted by place. Cycles through other layers are found from
/// whichever of them is asked about.
std::vector<Diagnostic> validate_layers(const LayerMap& layers, std::span<const std::string> keys = {});

}  // namespace ov
