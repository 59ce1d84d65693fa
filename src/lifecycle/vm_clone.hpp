// `source.kind: clone`: a machine whose disk stands on a snapshot of another one (`vm-lifecycle.md` 13).
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "lifecycle/base_image.hpp"
#include "lifecycle/hypervisors.hpp"

namespace ov {

/// The frozen file that the clone's disk goes on; an internal snapshot gets a file of its own first. Error{not_found} naming the
/// parent, the snapshot and how to make it.
asio::awaitable<BaseImage> clone_base(VmContext& context, VmSpec spec, Deadline deadline);

/// What the record of a clone's disk calls its source: "clone:<vm>@<snapshot>".
std::string clone_source(const VmSpec& spec);

/// One clone more (or, with -1, less) stands on what `source` names; nothing for the source of another kind. A parent that is
/// gone is no failure when the clone goes.
asio::awaitable<void> count_clone(VmContext& context, std::string source, int change, Deadline deadline);

struct CloneRequest {
    std::string name;  ///< of the new entity
    std::string from;  ///< "<vm>@<snapshot>"
    bool cloud_init_clean = true;
};

/// Writes the new entity into the project's overthink.yml. It gets what the parent's entity says about its hardware, its user and
/// its key, since a bare source would make a machine that nobody can log in to. Error{usage} without a snapshot, naming those
/// there are.
asio::awaitable<void> add_clone_entity(VmContext& context, CloneRequest request, Deadline deadline);

}  // namespace ov
