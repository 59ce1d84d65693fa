// What a deploy says of exclusive resources, a GPU for example (`cli-and-config.md` 11). Pure.
#pragma once

#include <string>
#include <vector>

#include "ov/project.hpp"

namespace ov {

struct Exclusive {
    std::vector<std::string> holds, requires_;
    std::string restore = "always";  ///< or on-success
};
/// Throws Error{spec_invalid} naming the deploy, the key and the value.
Exclusive exclusive_of(const DeployNode& node);

/// Those of `a` that are in `b` too.
std::vector<std::string> common_tokens(const std::vector<std::string>& a, const std::vector<std::string>& b);

}  // namespace ov
