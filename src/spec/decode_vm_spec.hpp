// A whole VM entity: spellings of older pages, then every key of the schema.
#pragma once

#include <string>

#include "ov/vm_spec.hpp"
#include "spec/cursor.hpp"

namespace ov::spec {

/// `body` with `cpus` and `packages` under their names of today, each with a warning; both spellings with different values
/// are an error.
YamlPtr with_todays_keys(const Cursor& body);

/// `cursor` is the mapping of `vm-spec.md` 2.
VmSpec decode_vm_spec(const std::string& name, const Cursor& cursor);

}  // namespace ov::spec
