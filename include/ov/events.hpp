// What happens while machines are worked on, as one stream of typed events. The progress display, `--output jsonl`, the log
// files, the report and a library user's callback are equal consumers of it (decisions 61).
//
// Code that works on one machine emits bodies through an `EmitEvent` that knows the machine; the fleet stamps and delivers them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ov/check.hpp"
#include "ov/diagnostic.hpp"
#include "ov/error.hpp"

namespace ov {

/// The stages of the work on one machine, in order.
enum class WorkPhase { resolve, connect, ready, preflight, steps, artifacts, pods, checks, state };
std::string_view to_string(WorkPhase phase) noexcept;

enum class StepState { ok, failed, cancelled, skipped };
std::string_view to_string(StepState state) noexcept;

/// Number of machines by outcome.
struct Totals {
    int ok = 0, failed = 0, unreachable = 0, timed_out = 0, cancelled = 0, skipped = 0;
    void add(Outcome outcome) noexcept;
    int sum() const noexcept { return ok + failed + unreachable + timed_out + cancelled + skipped; }
    bool operator==(const Totals&) const = default;
};

namespace event {

struct RunStarted {
    std::string command;           ///< "fleet add"
    std::vector<std::string> vms;  ///< deploy keys, in order
    int jobs = 1;
};
struct VmStarted {
    std::string entity, instance, host;  ///< host as the user wrote it
};
struct PhaseStarted {
    WorkPhase phase = WorkPhase::resolve;
};
struct PhaseFinished {
    WorkPhase phase = WorkPhase::resolve;
    double seconds = 0;
};
/// `step` counts from 1 within the layer's plan of `of` steps.
struct StepStarted {
    std::string layer;
    int step = 0, of = 0;
    std::string kind, summary;  ///< the summary holds no script text and no secret
};
struct StepFinished {
    std::string layer;
    int step = 0, of = 0;
    StepState state = StepState::ok;
    int status = 0;  ///< exit status of the script
    double seconds = 0;
    std::string reason;  ///< why it was skipped or failed; may be empty
};
/// Bytes as they arrive; need not end at a line.
struct Output {
    std::string text;
    bool is_error = false;
};
struct Transfer {
    std::string what;
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> total;
};
struct Note {
    Severity severity = Severity::note;
    std::string text;
};
/// One declarative check is over.
struct CheckFinished {
    CheckResult result;
};
struct VmFinished {
    Outcome outcome = Outcome::ok;
    WorkPhase phase = WorkPhase::resolve;  ///< the one it ended in
    std::string layer;                     ///< with `step`: where it ended, if in a step
    int step = 0;
    double seconds = 0;
    std::string reason;         ///< empty if ok
    std::optional<Errc> error;  ///< set unless ok or skipped
};
struct RunFinished {
    int exit_code = 0;
    double seconds = 0;
    Totals totals;
};

}  // namespace event

using EventBody = std::variant<event::RunStarted, event::VmStarted, event::PhaseStarted, event::PhaseFinished, event::StepStarted,
                               event::StepFinished, event::Output, event::Transfer, event::Note, event::CheckFinished,
                               event::VmFinished, event::RunFinished>;

/// "run_started", "step_finished", ...
std::string_view name_of(const EventBody& body) noexcept;

struct DeployEvent {
    std::uint64_t seq = 0;  ///< from 1, without gaps
    std::chrono::system_clock::time_point time;
    std::string run;  ///< identifies the run in logs and in the guests' journals
    std::string vm;   ///< deploy key; empty for events of the run itself
    EventBody body;
};

/// Emits an event of one machine. Must not block and must not throw.
using EmitEvent = std::function<void(EventBody)>;

/// A consumer. Called on the event loop's thread: must not block for long and must not throw.
using EventSink = std::function<void(const DeployEvent&)>;

}  // namespace ov
