// What the deploy.yml of the machine says of a pod in place of its image's labels (`image-transfer.md` 5). Pure; the file is the
// operator's: it is read, never written, so that an answer of today does not hide a label of the next image (12, weakness 6).
#pragma once

#include <map>
#include <string>

#include "image/pod_labels.hpp"
#include "ov/diagnostic.hpp"
#include "ov/yaml.hpp"

namespace ov {

/// The entry of the pod, NAME or NAME/INSTANCE, in the file's `deploy:`; nullptr without one, or when it is of another target.
const YamlNode* pod_entry(const YamlNode& file, const PodOptions& options);

/// Replaces labels by what the entry says of status, ports, env, network and, field by field, security, and adds to
/// `options.binds` the volumes that are directories of the machine. What is not applied is noted. Throws SpecError naming file,
/// line and field.
void overlay_pod(const YamlNode& entry, const std::string& file, std::map<std::string, std::string>& labels, PodOptions& options,
                 std::vector<std::string>& notes);

}  // namespace ov
