// The images that the pods of a run are made from: each is built once, whatever the number of machines that want it.
#pragma once

#include <asio/awaitable.hpp>
#include <map>
#include <memory>
#include <string>

#include "async/event.hpp"
#include "async/semaphore.hpp"
#include "lifecycle/image_build.hpp"
#include "ov/image.hpp"

namespace ov {

class ImageShelf {
public:
    explicit ImageShelf(ImageWorkshop workshop);

    /// Builds what the project calls `image` (or takes the reference), and says what this host's podman has then. A build that
    /// failed fails for all who ask; one that was cancelled is begun again by the next.
    asio::awaitable<HostImage> get(std::string image, Deadline deadline, EmitEvent events);

private:
    struct Work;
    ImageWorkshop workshop_;
    Semaphore builds_;
    std::map<std::string, std::shared_ptr<Work>> works_;
};

}  // namespace ov
