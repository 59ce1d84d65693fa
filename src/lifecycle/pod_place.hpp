// What a machine has of what pods take, and the program there that starts and removes them.
#pragma once

#include <asio/awaitable.hpp>
#include <string>

#include "ov/events.hpp"
#include "ov/executor.hpp"

namespace ov {
struct Runtime;
}

namespace ov::pods {

struct Place {
    std::string user, home;
    std::string linger;   ///< "yes" or "no"
    std::string digest;   ///< of the copy of ours that is there
    std::string gpu;      ///< of NVIDIA: "none", "there" (described for containers), "wanted", "impossible"
    std::string program;  ///< path; nothing until it was brought
};

asio::awaitable<Place> look_at_place(Executor& machine, Deadline deadline);

/// Path of the program; `found`: what is known of it, empty: it is looked for. The guest's own ov may not know how to tell whose
/// pods are whose: then a copy of ours is put beside it.
asio::awaitable<std::string> bring_program(Executor& machine, Runtime& runtime, Place place, std::string found, Deadline deadline,
                                           EmitEvent events);

}  // namespace ov::pods
