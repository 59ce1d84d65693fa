// Text of systemd units and drop-ins (`layer-format.md` 8, W18 to W20). Home spellings are already tokens.
#pragma once

#include <string>
#include <vector>

#include "ov/layer.hpp"

namespace ov::plan {

/// The unit of a custom service, overrides merged in. Problems (a line break in a value) are appended.
std::string unit_text(const std::string& layer, const Service& service, std::vector<std::string>& problems);

/// The drop-in of a packaged service, or empty when it overrides nothing.
std::string dropin_text(const ServiceOverrides& overrides, std::vector<std::string>& problems);

/// `sshd` -> `sshd.service`; names with the suffix of a unit type stay.
std::string unit_name(std::string_view text);

}  // namespace ov::plan
