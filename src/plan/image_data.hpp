// What layers put into an image for its volumes (`data:`): staged below /data, from where a new volume is filled. Pure.
#pragma once

#include <string>
#include <vector>

#include "plan/image_recipe.hpp"

namespace ov {

struct ImageData {
    std::string layer, volume;
    std::string source;       ///< of the operator's machine: a file, or a directory whose entries are meant
    std::string dest;         ///< below the volume's root; empty: the root itself
    std::string staging;      ///< absolute path in the image
    bool has_volume = false;  ///< a layer of the image declares the volume; else there is nothing to fill
};

/// In the order of the layers. Throws Error{spec_invalid} naming layer and key for one without `src` or `volume`, and for a
/// path that leaves the layer or the volume.
std::vector<ImageData> image_data(const ImageRecipe& recipe);

}  // namespace ov
