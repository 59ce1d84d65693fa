// Runs contiguous steps of one privilege level through the runner without waiting between them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "deploy/guest_session.hpp"
#include "deploy/prepared_steps.hpp"

namespace ov {

/// Throws the error of the first step that did not succeed; steps behind it have not been begun.
asio::awaitable<void> run_batch(GuestSession& session, std::vector<const PreparedStep*> steps, UploadCache& uploads,
                                std::string run, Deadline deadline, EmitEvent events);

/// How uploads get to the machine: small files into the memory of the runner that needs them, others and whole directories
/// below the run directory, large ones by a transfer of their own.
struct StagedUploads {
    struct Script {
        RunAs as;
        std::string text;  ///< to be evaluated in the runner
    };
    std::vector<Script> scripts;
    bool run_dir = false;  ///< the run directory must be there first
    struct Large {
        std::string source, path;
    };
    std::vector<Large> large;
};
StagedUploads stage_uploads(const std::vector<const PreparedStep*>& steps, UploadCache& uploads, const std::string& run_dir);

}  // namespace ov
