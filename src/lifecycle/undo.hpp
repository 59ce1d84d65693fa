// The patience of an undo after a failure.
#pragma once

#include <chrono>

#include "ov/deadline.hpp"

namespace ov {

/// An undo runs after its deploy was cancelled or out of time, so it takes neither from the caller's deadline: 30 s of its own.
inline Deadline undo_deadline() {
    return Deadline::unlimited("undo").child(std::chrono::seconds(30));
}

}  // namespace ov
