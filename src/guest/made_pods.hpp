// The pods that were made on this machine: which, and how one is taken away.
#pragma once

#include <iosfwd>
#include <string>

namespace ov::guest {

/// NAME or NAME/INSTANCE of each pod, sorted; of one owner when that is not empty.
void list_pods(const std::string& owner, std::ostream& out);

/// Runs the image's pre_remove hook, stops the pod and removes its unit; volumes and images stay. A hook that fails keeps no pod:
/// it is complained of.
void delete_pod(const std::string& name, const std::string& instance, std::ostream& out, std::ostream& complaints);

}  // namespace ov::guest
