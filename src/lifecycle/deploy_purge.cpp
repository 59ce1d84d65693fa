#include "lifecycle/deploy_purge.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ov {

bool purge_entry(state::DeployDocument& document, const std::string& key, const DeployMap& project) {
    if (!document.has(key)) return false;
    const DeployNode before = document.node(key);
    const auto is_state = [](const YamlEntry& entry) { return entry.key == "vm_state"; };
    if (std::none_of(before.body->entries.begin(), before.body->entries.end(), is_state)) return false;
    document.remove_field(key, "vm_state");
    const DeployNode rest = document.node(key);
    const bool made_for_it = key.starts_with("vm:") || project.contains(key);
    const bool nothing_else = std::all_of(rest.body->entries.begin(), rest.body->entries.end(),
                                          [](const YamlEntry& entry) { return entry.key == "target" || entry.key == "vm"; });
    if (made_for_it && nothing_else) document.remove_entry(key);
    return true;
}

asio::awaitable<void> purge_deploy(VmContext& context, std::string key, VmIdentity machine, Deadline deadline) {
    const std::string file = context.deploy_file;
    const auto project = context.project;
    auto drop = [file, key, project]() -> bool {
        bool had = false;
        state::update_deploy_file(file,
                                  [&](state::DeployDocument& document) { had = purge_entry(document, key, project->deploys); });
        return had;
    };
    const bool had = co_await context.runtime.pool.run(deadline, drop);
    if (had || key == machine.key()) co_return;
    const VmState left = co_await load_vm_state(context, machine, deadline);
    if (left.instance_id.empty() && left.backend.empty()) co_return;
    context.say(fmt::format("{0} has no state of its own; that of its machine stands under {1}: ov deploy del {1} --purge", key,
                            machine.key()));
}

}  // namespace ov
