// Finds layer directories below a root and what lies in one of them.
#pragma once

#include <string>
#include <vector>

namespace ov::spec {

/// Directories that hold `file`, sorted; at any depth, or direct children only. Symbolic links are not followed.
/// Throws Error{not_found} naming the root when it is missing.
std::vector<std::string> find_directories(const std::string& root, const std::string& file, bool recursive);

/// Files of a layer directory that ask for a builder or count as content, sorted: pixi.toml, pyproject.toml,
/// environment.yml, package.json, Cargo.toml, *.service.
std::vector<std::string> layer_manifests(const std::string& directory);

}  // namespace ov::spec
