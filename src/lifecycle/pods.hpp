// Pods inside a machine (`image-transfer.md` 2): images are built here, sent into the login user's storage and started by the
// machine's own `ov-guest` under the user's service manager.
#pragma once

#include <asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "lifecycle/image_shelf.hpp"
#include "ov/events.hpp"
#include "ov/executor.hpp"
#include "ov/project.hpp"

namespace ov {

/// A child of a deploy that is a pod.
struct PodChild {
    std::string key, image;
    std::vector<std::string> env, ports;
};

/// The children that are brought up: those with an image whose target is a pod, sorted by key. Throws Error{spec_invalid} for a
/// key that is no name of a pod, naming it.
std::vector<PodChild> pod_children(const DeployNode& node);

/// The child that a dotted key addresses.
PodChild pod_child(const std::string& key, const std::string& image, const DeployNode& node);

struct PodRun {
    std::string owner;  ///< deploy key, kept on the machine: what it no longer has is taken down
    std::vector<PodChild> children;
    std::string program{};  ///< of the machine that starts them; empty: it is looked for and brought
    bool all = true;        ///< these are all the pods of the owner
};

/// Brings the pods up, several at once. One that fails does not stop the others; at the end Error{step_failed} names each.
/// What is as wanted is left running. Pods of the owner that are no children any more are taken down.
asio::awaitable<void> bring_up_pods(Executor& machine, ImageShelf& shelf, Runtime& runtime, PodRun run, Deadline deadline,
                                    EmitEvent events);

struct PodRemoval {
    std::string owner;  ///< deploy that asked for the pods; empty: whoever did
    std::string only;   ///< the one of that name
    bool dry_run = false;
    bool leave = true;  ///< after the last pod of the machine, what pods share goes too: false where others are about to come
};

/// Stops and removes the pods in reverse order; volumes and images stay. With `dry_run` only says which. Nothing happens on a
/// machine that never had one; the program that removes them is brought where it is gone.
asio::awaitable<std::vector<std::string>> take_down_pods(Executor& machine, Runtime& runtime, PodRemoval removal,
                                                         Deadline deadline, EmitEvent events);

}  // namespace ov
