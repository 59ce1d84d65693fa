// Templates in a project's build vocabulary (`builder:`, `distro:`): the part of Go's text/template that they are written in.
#pragma once

#include <string>
#include <string_view>

#include "ov/yaml.hpp"

namespace ov {

/// `text` with its `{{...}}` replaced: fields (`.A.B`, `$.A`, `.`), `if`, `else`, `range`, `end`, comments, `{{-` and `-}}`, and
/// the functions and, default, eq, join, not, or, printf (of `%s`), quote (for a shell), replace. A field `.BasePackages` is the
/// key `BasePackages`, `base_packages` or `base_package`; one that is missing is empty. Throws Error{spec_invalid} naming `name`,
/// the line and the action. Pure.
std::string fill_template(std::string_view name, std::string_view text, const YamlPtr& data);

}  // namespace ov
