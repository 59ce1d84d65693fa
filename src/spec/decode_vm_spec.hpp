// A whole VM entity: spellings of older pages, then every key of the schema.
#pragma once

#include <string>

#include "ov/vm_spec.hpp"
#include "spec/cursor.hpp"

namespace ov::spec {

/// `map` with the key `old` called `now`, and a warning about it; both with different values are an error. `path` is the map's.
YamlPtr renamed_key(const YamlPtr& map, std::string_view old, std::string_view now, const std::string& path, Report& report);

/// `body` with `cpus` and `packages` under their names of today, each with a warning; both spellings with different values
/// are an error.
YamlPtr with_todays_keys(const Cursor& body);

/// `cursor` is the mapping of `vm-spec.md` 2.
VmSpec decode_vm_spec(const std::string& name, const Cursor& cursor);

}  // namespace ov::spec
