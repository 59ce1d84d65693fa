// Files that layers give back to the operator after a deploy (`deploy-engine.md` 14).
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "ov/deadline.hpp"
#include "ov/events.hpp"
#include "ov/executor.hpp"
#include "ov/layer.hpp"

namespace ov {

struct ArtifactRequest {
    std::string layer;
    std::vector<Artifact> artifacts;
    std::string home;                                ///< of the operator
    std::map<std::string, std::string> variables;    ///< deploy_name, secrets, the node's env
    std::function<const char*(const char*)> getenv;  ///< the operator's environment, asked last
};

/// `${K}` and `${K:-text}`; unknown names stay.
std::string expand_artifact_text(std::string_view text, const ArtifactRequest& request);

/// Throws Error naming layer and artifact.
asio::awaitable<void> fetch_artifacts(Executor& executor, ArtifactRequest request, Deadline deadline, EmitEvent events);

/// The bytes as a whole or not at all, with exactly this mode whatever the umask and an older file say.
void write_artifact(const std::string& path, std::string_view content, unsigned mode);

}  // namespace ov
