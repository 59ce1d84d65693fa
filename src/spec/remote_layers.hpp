// Remote layers (`layer-format.md` 15): which repositories a set of requests needs, and the layers they bring. Pure but for
// reading checkouts; who fetches them is somebody else.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <vector>

#include "ov/project.hpp"

namespace ov::spec {

/// One repository at one tag or branch; an empty version is the default branch.
struct RepositoryAt {
    std::string repository, version;
    auto operator<=>(const RepositoryAt&) const = default;
};

/// A repository as fetched.
struct Checkout {
    std::string directory;  ///< absolute
    std::string version;    ///< tag or branch that was checked out, also when the default branch was asked for
    std::string commit;
};
using Checkouts = std::map<RepositoryAt, Checkout>;

/// What the closure of `requests` (references as authored) still lacks, sorted. Layers whose checkout is there are put into
/// `project.layers` under their bare reference; plain names inside them come to mean siblings in the same repository. Call
/// again with more checkouts until nothing is lacking; the last call's warnings count.
///
/// Throws LayerNotFound when a checkout has no such layer, Error{spec_invalid} when a remote layer has no version.
std::vector<RepositoryAt> resolve_remote_layers(Project& project, const std::vector<std::string>& requests,
                                                const Checkouts& checkouts);

}  // namespace ov::spec
