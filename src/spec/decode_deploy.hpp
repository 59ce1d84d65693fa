// Deploy nodes: one entry of `deploy:` in a project or in the host's deploy.yml, and the merge of both.
#pragma once

#include <string>
#include <vector>

#include "ov/project.hpp"
#include "spec/cursor.hpp"

namespace ov::spec {

DeployNode decode_deploy_node(const std::string& key, const Cursor& cursor);

/// The value of `deploy:`.
DeployMap decode_deploy_map(const Cursor& cursor);

/// The overlay's set fields replace those of the project as a whole (`cli-and-config.md` 5.5). Both were decoded before, so
/// this finds nothing new.
DeployMap merge_deploys(const DeployMap& project, const DeployMap& overlay);

/// Rules that hold for the merged tree only: pods name an image, a deploy has a target, no two machines share a domain.
void check_deploys(const Project& project, std::vector<Diagnostic>& findings);

}  // namespace ov::spec
