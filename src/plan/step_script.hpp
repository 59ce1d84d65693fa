// What a step does on the machine, as text for bash: short calls of the guest library with everything quoted. Pure.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "ov/install_plan.hpp"
#include "ov/run_as.hpp"
#include "plan/guest_library.hpp"

namespace ov {

/// Something of the operator's machine that a step needs on the guest, below the run directory.
struct Upload {
    std::string source;  ///< file, or directory when `tree`
    std::string staged;  ///< path relative to the run directory
    bool tree = false;
    bool operator==(const Upload&) const = default;
};

/// What rendering knows about the run besides the plan.
struct StepContext {
    /// The run directory on the machine. The default is what plans are printed with and digested under.
    std::string run_dir = "/tmp/ov.XXXXXX";
    /// SHA-256 of each uploaded file by `Upload::source`; an absent one renders as an empty word.
    std::map<std::string, std::string> digests;
    /// Secrets by layer and name; printing a plan passes "<redacted>" as the values.
    std::map<std::string, std::map<std::string, std::string>> secrets;
};

enum class GuestAction {
    run,     ///< run the script
    skip,    ///< record the step as skipped; `note` says why
    build,   ///< a builder runs on the operator's machine first
    reboot,  ///< the engine reboots the machine
};

struct GuestStep {
    GuestAction action = GuestAction::run;
    RunAs as = RunAs::user;
    std::string text;
    std::vector<Upload> uploads;
    std::chrono::seconds limit{300};
    GuestParts library;
    std::string note;
    /// One call of a library function that makes or compares a file or two: it needs no process of its own.
    bool in_runner = false;
};

/// Files that the step sends, known without rendering it: their digests go into the context.
std::vector<Upload> uploads_of(const Step& step);

/// Throws Error{spec_invalid} naming layer and step when the step cannot be expressed (relative path, unknown format).
GuestStep render_step(const Step& step, const StepContext& context);

}  // namespace ov
