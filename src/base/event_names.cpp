#include <iterator>

#include "ov/events.hpp"

namespace ov {

std::string_view to_string(WorkPhase phase) noexcept {
    switch (phase) {
        case WorkPhase::resolve:
            return "resolve";
        case WorkPhase::connect:
            return "connect";
        case WorkPhase::ready:
            return "ready";
        case WorkPhase::preflight:
            return "preflight";
        case WorkPhase::steps:
            return "steps";
        case WorkPhase::artifacts:
            return "artifacts";
        case WorkPhase::pods:
            return "pods";
        case WorkPhase::checks:
            return "checks";
        case WorkPhase::state:
            return "state";
    }
    return "?";
}

std::string_view to_string(StepState state) noexcept {
    switch (state) {
        case StepState::ok:
            return "ok";
        case StepState::failed:
            return "failed";
        case StepState::cancelled:
            return "cancelled";
        case StepState::skipped:
            return "skipped";
    }
    return "?";
}

void Totals::add(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::ok:
            ++ok;
            break;
        case Outcome::failed:
            ++failed;
            break;
        case Outcome::unreachable:
            ++unreachable;
            break;
        case Outcome::timed_out:
            ++timed_out;
            break;
        case Outcome::cancelled:
            ++cancelled;
            break;
        case Outcome::skipped:
            ++skipped;
            break;
    }
}

std::string_view name_of(const EventBody& body) noexcept {
    static constexpr std::string_view names[] = {"run_started",  "vm_started",     "phase_started", "phase_finished",
                                                 "step_started", "step_finished",  "output",        "transfer",
                                                 "note",         "check_finished", "vm_finished",   "run_finished"};
    static_assert(std::size(names) == std::variant_size_v<EventBody>);
    return names[body.index()];
}

}  // namespace ov
