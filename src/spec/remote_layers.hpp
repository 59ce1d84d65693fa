// Remote layers (`layer-format.md` 15): which repositories a set of requests needs, and the layers they bring. Pure but for
// reading checkouts; who fetches them is somebody else.
#pragma once

#include <string>
#include <vector>

#include "ov/project.hpp"
#include "ov/repository.hpp"

namespace ov::spec {

/// What the closure of `requests` (references as authored) still lacks, sorted. Layers whose checkout is there are put into
/// `project.layers` under their bare reference; plain names inside them come to mean siblings in the same repository. Call
/// again with more checkouts until nothing is lacking; the last call's warnings count.
///
/// Throws LayerNotFound when a checkout has no such layer, Error{spec_invalid} when a remote layer has no version.
std::vector<RepositoryAt> resolve_remote_layers(Project& project, const std::vector<std::string>& requests,
                                                const Checkouts& checkouts);

}  // namespace ov::spec
