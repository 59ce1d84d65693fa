// VM entities written into a project file that people edit: comments, order and everything else stay as they are.
#pragma once

#include <string>
#include <string_view>

#include "ov/yaml.hpp"

namespace ov::state {

enum class EntityEdit { add, replace };

/// `text` with `name: body` below its `vm:`. Throws Error{usage} when the entity exists (add) or does not (replace), SpecError
/// for a text that is no YAML, Error{unsupported} where `vm:` is written in braces. Pure.
std::string with_vm_entity(std::string_view text, const std::string& name, const YamlNode& body, EntityEdit edit,
                           const std::string& file);

/// The same on the file, under its lock. Error{not_found} naming it and what to do when there is none. Blocks.
void write_vm_entity(const std::string& file, const std::string& name, const YamlNode& body, EntityEdit edit);

/// The entity as it is written in this file; null when it is not in it. Blocks.
YamlPtr vm_entity_in(const std::string& file, const std::string& name);

}  // namespace ov::state
