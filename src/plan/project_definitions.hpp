// A project's own definitions of systems (`distro:`), found by a machine's tag.
#pragma once

#include <string>
#include <string_view>

#include "ov/project.hpp"

namespace ov {

/// The definition of a tag, exact or without its version.
Entities::const_iterator definition_of(const Entities& distros, const std::string& tag);

/// What the definition, or the next one that it inherits from, says under `key`; nullptr when none does.
YamlPtr inherited_part(const Entities& distros, const std::string& tag, std::string_view key);

}  // namespace ov
