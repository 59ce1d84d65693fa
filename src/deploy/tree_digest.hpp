// One digest for a file or a directory as a copy of it would be: the key under which what was made from it is kept.
#pragma once

#include <string>

namespace ov {

/// SHA-256 over path, type and mode of everything in it, the bytes of files and the targets of links, in the order of the paths.
/// Neither times nor owners count. A link given as `path` itself is followed. Blocks. Throws Error{io} naming what cannot be
/// read.
std::string tree_digest(const std::string& path);

}  // namespace ov
