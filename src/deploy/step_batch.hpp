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
asio::awaitable<void> run_batch(GuestSession& session, std::vector<const PreparedStep*> steps, std::string run, Deadline deadline,
                                EmitEvent events);

/// Scripts that put small uploads below the run directory, and the uploads that need a transfer of their own.
struct StagedUploads {
    std::vector<std::string> scripts;
    struct Large {
        std::string source, path;
    };
    std::vector<Large> large;
};
StagedUploads stage_uploads(const std::vector<const PreparedStep*>& steps, UploadCache& uploads, const std::string& run_dir);

}  // namespace ov
