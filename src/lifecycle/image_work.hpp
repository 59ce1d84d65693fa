// `cp-image` on one machine of a run: one export of the image on this host feeds all of them.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>

#include "image/shared_export.hpp"
#include "lifecycle/machine_work.hpp"
#include "ov/image.hpp"

namespace ov {

/// The image of a run, found on this host before any machine is contacted.
struct ImageSupply {
    HostImage image;
    std::shared_ptr<SharedExport> stream;
};

/// `machines`: how many are at work at once.
asio::awaitable<std::shared_ptr<ImageSupply>> find_supply(asio::any_io_executor executor, std::string name, int machines,
                                                          Deadline deadline);

/// Returns the result as JSON (keys of `CopyImageResult`).
asio::awaitable<std::string> copy_image_to_machine(RunContext& context, MachineJob job, Deadline deadline);

}  // namespace ov
