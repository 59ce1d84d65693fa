#include "backend/machine_backend.hpp"

namespace ov {

std::string_view to_string(MachineState state) noexcept {
    switch (state) {
        case MachineState::undefined:
            return "undefined";
        case MachineState::shut_off:
            return "shut off";
        case MachineState::running:
            return "running";
        case MachineState::paused:
            return "paused";
        case MachineState::shutting_down:
            return "shutting down";
        case MachineState::crashed:
            return "crashed";
        case MachineState::suspended:
            return "suspended";
        case MachineState::unknown:
            break;
    }
    return "unknown";
}

bool is_active(MachineState state) noexcept {
    return state != MachineState::undefined && state != MachineState::shut_off;
}

}  // namespace ov
