// Machines with a time to live (`vm-lifecycle.md` 15, decisions 10 and 66): armed before the deploy begins, taken down with their
// disks by `deploy del`, by a failed deploy, or by the timer, whichever comes first.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "lifecycle/ephemeral_timer.hpp"
#include "lifecycle/machine_work.hpp"

namespace ov {

/// `ephemeral:` of a deploy node.
struct EphemeralSpec {
    std::chrono::seconds ttl{3600};
    bool keep_on_failure = false;
    std::string naming_pattern = "{{.Source}}-eph-{{.UUID6}}";
};

/// Nothing when the node has none. Throws Error{spec_invalid} naming deploy, key and value.
std::optional<EphemeralSpec> ephemeral_of(const DeployNode& node);
/// "30m", "1h30m", "90s", "1.5h"; nothing for other text and for no time at all.
std::optional<std::chrono::seconds> parse_ttl(std::string_view text);
/// `{{.Source}}` and `{{.UUID6}}` filled in. Error{spec_invalid} for another variable and for a name that is no key.
std::string instance_name_of(const std::string& pattern, const std::string& source, const std::string& uuid6);

/// `deploy add` of an ephemeral node: the machine must be there (decisions 1, 10); timer first, then the record, then the deploy.
asio::awaitable<std::string> add_ephemeral(RunContext& context, MachineJob job, Deadline deadline);
/// `deploy del` of one: the machine goes with its disk; what was deployed goes with it. Idempotent.
asio::awaitable<std::string> del_ephemeral(RunContext& context, MachineJob job, Deadline deadline);

/// An ephemeral deploy that nobody ended: its time is over, or its machine is gone.
struct ReapedOrphan {
    std::string key, why;
    std::string failure;  ///< empty: it was taken down
};
/// `ov reap-orphans`: takes all of them down, one after another, whatever happens to each.
asio::awaitable<std::vector<ReapedOrphan>> reap_orphans(VmContext& context, Hypervisors& hypervisors, Deadline deadline);

/// Whether the deploy has a live ephemeral machine or asks for one.
bool is_ephemeral(const DeployTarget& target);

}  // namespace ov
