// The labels that an image carries (`image-transfer.md` 4), from its entry and its layers: what a machine without the project
// needs to start a pod from it. Pure.
#pragma once

#include <map>
#include <string>

#include "plan/image_recipe.hpp"

namespace ov {

/// Full label keys. Throws Error{spec_invalid} naming layer and key for what no pod could be made from.
std::map<std::string, std::string> image_labels(const ImageRecipe& recipe, const CompileContext& context);

}  // namespace ov
