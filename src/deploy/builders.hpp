// Builders on the operator's machine: a container makes what a layer's manifest asks for, once for all machines that want the
// same; the result is kept under the digest of everything that went into it (decisions 31).
#pragma once

#include <asio/awaitable.hpp>
#include <map>
#include <memory>
#include <string>

#include "async/event.hpp"
#include "async/process.hpp"
#include "async/runtime.hpp"
#include "ov/events.hpp"
#include "ov/install_plan.hpp"

namespace ov {

class Builders {
public:
    /// `cache`: directory of finished archives. `podman`: program.
    Builders(Runtime& runtime, std::string cache, std::string podman = "podman")
        : runtime_(runtime), cache_(std::move(cache)), podman_(std::move(podman)) {}

    /// Path of a zstd-compressed tar: for aur the packages, for others what belongs into `home`. Throws Error{unsupported} when
    /// podman cannot run containers here, {not_found} without an image, {step_failed} with the last lines of a failed build.
    asio::awaitable<std::string> build(BuilderStep step, std::string home, std::string arch, Deadline deadline, EmitEvent events);

    Runtime& runtime() { return runtime_; }

private:
    struct Work;
    struct Image {
        std::string id, arch;
    };
    asio::awaitable<Image> find_image(const BuilderStep& step, Deadline deadline, const EmitEvent& events);
    asio::awaitable<void> make(BuilderStep step, std::string home, std::string image, std::string archive, Deadline deadline,
                               EmitEvent events);
    asio::awaitable<ProcessOutput> podman(std::vector<std::string> words, std::string what, Deadline deadline);

    Runtime& runtime_;
    std::string cache_, podman_;
    unsigned partials_ = 0;
    std::map<std::string, std::shared_ptr<Work>> working_;  ///< by key: machines that want the same wait for the first
};

}  // namespace ov
