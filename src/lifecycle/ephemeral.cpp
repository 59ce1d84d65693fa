#include "lifecycle/ephemeral.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "deploy/clock.hpp"
#include "lifecycle/managed_machine.hpp"
#include "lifecycle/vm_keys.hpp"
#include "lifecycle/vm_power.hpp"
#include "model/yaml_writer.hpp"
#include "ov/load.hpp"
#include "state/deploy_config.hpp"

namespace ov {

namespace {

using Clock = std::chrono::system_clock;

/// The block of the deploy as the file has it now.
YamlPtr block_in(const state::DeployDocument& document, const std::string& key) {
    return yaml_entry(yaml_entry(document.node(key).body, "vm_state"), "ephemeral");
}

/// `vm_state.ephemeral` of the addressed entry alone; null removes it.
void set_block(state::DeployDocument& document, const std::string& key, const std::string& entity, const YamlPtr& block) {
    const DeployNode node = document.node(key);
    auto state = std::make_shared<YamlNode>();
    state->kind = YamlNode::Kind::map;
    if (const YamlPtr known = yaml_entry(node.body, "vm_state")) *state = *known;
    std::erase_if(state->entries, [](const YamlEntry& entry) { return entry.key == "ephemeral"; });
    if (block) state->entries.push_back({"ephemeral", 0, 0, block});
    if (state->entries.empty()) {
        document.remove_field(key, "vm_state");
        return;
    }
    // An entry without target would break every later load.
    if (node.target.empty()) document.set_field(key, "target", yaml_text("vm"));
    if (node.vm.empty()) document.set_field(key, "vm", yaml_text(entity));
    document.set_field(key, "vm_state", state);
}

asio::awaitable<void> save_block(VmContext& context, std::string key, std::string entity, YamlPtr block, Deadline deadline) {
    const std::string file = context.deploy_file;
    auto save = [file, key, entity, block] {
        state::update_deploy_file(file, [&](state::DeployDocument& document) { set_block(document, key, entity, block); });
    };
    co_await context.runtime.pool.run(deadline, save);
}

/// The block as another process may have written it meanwhile.
asio::awaitable<YamlPtr> load_block(VmContext& context, std::string key, Deadline deadline) {
    const std::string file = context.deploy_file;
    auto load = [file, key]() -> YamlPtr {
        const auto text = state::read_file(file);
        return text ? block_in(state::DeployDocument::parse(*text, file), key) : nullptr;
    };
    co_return co_await context.runtime.pool.run(deadline, load);
}

std::vector<std::string> kept_environment() {
    std::vector<std::string> kept;
    for (const char* name : {"HOME", "PATH", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "OV_VM_BACKEND", "OV_LIBVIRT_URI"})
        if (const char* value = std::getenv(name)) kept.push_back(fmt::format("{}={}", name, value));
    return kept;
}

std::string own_program() {
    std::error_code failure;
    const auto path = std::filesystem::read_symlink("/proc/self/exe", failure);
    return failure ? std::string("ov") : path.string();
}

/// Inside another ephemeral deploy nothing lives longer than that one.
std::chrono::seconds clipped(const RunContext& context, std::chrono::seconds ttl, std::string& parent, const EmitEvent& emit) {
    const char* word = std::getenv("OV_EPHEMERAL_PARENT");
    if (word == nullptr || *word == '\0') return ttl;
    const auto found = context.project->deploys.find(std::string_view(word));
    const YamlPtr block =
        found != context.project->deploys.end() && found->second.vm_state ? found->second.vm_state->ephemeral : nullptr;
    const auto end = parse_utc(yaml_entry_text(block, "ttl_deadline"));
    if (!end) {
        emit(event::Note{Severity::warning,
                         fmt::format("OV_EPHEMERAL_PARENT {}: no such ephemeral deploy; its time is not looked at", word)});
        return ttl;
    }
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(*end - Clock::now());
    if (left.count() <= 0) throw Error(Errc::timed_out, fmt::format("OV_EPHEMERAL_PARENT {}: its time is over", word));
    parent = yaml_entry_text(block, "id");
    return std::min(ttl, left);
}

struct Registered {
    std::string timer;
};

asio::awaitable<void> register_machine(RunContext& context, MachineJob job, EphemeralSpec spec, Deadline deadline) {
    const std::string id = new_instance_id().substr(0, 6), key = job.target.key;
    const std::string name = instance_name_of(spec.naming_pattern, split_deploy_key(key).base, id);
    std::string parent;
    const std::chrono::seconds ttl = clipped(context, spec.ttl, parent, job.emit);
    const TimerCommand command = timer_command(key, ttl, own_program(), context.vms.project_directory, kept_environment(),
                                               ::geteuid() == 0, Clock::to_time_t(Clock::now()));
    const YamlPtr before = co_await load_block(context.vms, key, deadline);
    // The timer first: a crash from here on cannot outlive it.
    const std::string timer = co_await arm_timer(command, deadline);
    std::vector<std::pair<std::string, YamlPtr>> block{{"id", yaml_text(id)}};
    if (!parent.empty()) block.emplace_back("parent_ephemeral", yaml_text(parent));
    block.emplace_back("child_refcount", yaml_integer(0));
    block.emplace_back("timer_unit", yaml_text(timer));
    block.emplace_back("ttl_deadline", yaml_text(utc_text(Clock::now() + ttl)));
    block.emplace_back("status", yaml_text("active"));
    block.emplace_back("instance_name", yaml_text(name));
    co_await save_block(context.vms, key, job.target.machine.entity, yaml_map(std::move(block)), deadline);
    const std::string old = yaml_entry_text(before, "timer_unit");
    co_await disarm_timer(context.vms.runtime, old, deadline);  // a new deploy starts the time anew
    job.emit(event::Note{Severity::note, fmt::format("{} lives until {} ({})", name, utc_text(Clock::now() + ttl), timer)});
}

}  // namespace

bool is_ephemeral(const DeployTarget& target) {
    if (!target.is_managed()) return false;
    const bool live = target.node.vm_state && target.node.vm_state->ephemeral;
    return live || yaml_entry(target.node.body, "ephemeral") != nullptr;
}

asio::awaitable<std::string> add_ephemeral(RunContext& context, MachineJob job, Deadline deadline) {
    const auto spec = ephemeral_of(job.target.node);
    if (!spec) co_return co_await add_to_machine(context, std::move(job), deadline);
    const MachineState state = co_await look_at(context.vms, context.hypervisors, job.target.machine, deadline);
    std::string text;
    // Not defined: the deploy says how to make it, and no timer is armed for what is not there.
    if (state != MachineState::undefined) co_await register_machine(context, job, *spec, deadline);
    std::exception_ptr failure;
    try {
        text = co_await add_to_machine(context, job, deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!failure) co_return text;
    if (state != MachineState::undefined && !spec->keep_on_failure) {
        job.emit(
            event::Note{Severity::note,
                        "the deploy failed: its ephemeral machine goes (keep_on_failure: true would leave it until its time)"});
        const Deadline patience = Deadline::unlimited("ephemeral").child(std::chrono::seconds(60));
        co_await del_ephemeral(context, job, patience);
    }
    std::rethrow_exception(failure);
}

namespace {

/// The machine with its disk, its timer, its record, whatever of them is still there.
asio::awaitable<bool> end_ephemeral(VmContext& context, Hypervisors& hypervisors, std::string key, VmIdentity machine,
                                    Deadline deadline) {
    const YamlPtr block = co_await load_block(context, key, deadline);
    if (block) {
        auto tearing = std::make_shared<YamlNode>(*block);
        for (YamlEntry& entry : tearing->entries)
            if (entry.key == "status") entry.value = yaml_text("tearing_down");
        co_await save_block(context, key, machine.entity, tearing, deadline);
    }
    DestroyOptions options;
    options.force = true;
    options.disk = true;
    const DestroyResult result = co_await destroy_vm(context, hypervisors, machine, options, deadline);
    const std::string timer = yaml_entry_text(block, "timer_unit");
    co_await disarm_timer(context.runtime, timer, deadline);
    const std::string file = context.deploy_file;
    auto clear = [file, key] {
        state::update_deploy_file(file, [&](state::DeployDocument& document) {
            if (block_in(document, key)) set_block(document, key, {}, nullptr);
        });
    };
    co_await context.runtime.pool.run(deadline, clear);
    co_return result.existed;
}

}  // namespace

asio::awaitable<std::string> del_ephemeral(RunContext& context, MachineJob job, Deadline deadline) {
    const std::string key = job.target.key;
    const VmIdentity machine = job.target.machine;
    const bool existed = co_await end_ephemeral(context.vms, context.hypervisors, key, machine, deadline);
    job.emit(event::Note{Severity::note, fmt::format("{}: ephemeral, {}", machine.domain(),
                                                     existed ? "destroyed with its disk" : "was gone already")});
    co_return std::string();
}

asio::awaitable<std::vector<ReapedOrphan>> reap_orphans(VmContext& context, Hypervisors& hypervisors, Deadline deadline) {
    std::vector<ReapedOrphan> reaped;
    for (const auto& [key, node] : context.project->deploys) {
        if (!node.vm_state || !node.vm_state->ephemeral) continue;
        const VmIdentity machine = vm_identity(key, node);
        const auto end = parse_utc(yaml_entry_text(node.vm_state->ephemeral, "ttl_deadline"));
        ReapedOrphan orphan{key, end && *end < Clock::now() ? "its time is over" : "", {}};
        try {
            if (orphan.why.empty()) {
                // A hypervisor that does not answer counts as alive.
                const LocatedVm found = co_await hypervisors.locate(machine, *node.vm_state, deadline);
                if (found.backend == nullptr) orphan.why = "its machine is gone";
            }
            if (orphan.why.empty()) continue;
            co_await end_ephemeral(context, hypervisors, key, machine, deadline);
        } catch (const Error& error) {
            if (error.code() == Errc::cancelled) throw;
            if (orphan.why.empty()) {
                context.say(fmt::format("{} was left alone: {}", key, error.what()));
                continue;
            }
            orphan.failure = error.what();
        }
        reaped.push_back(std::move(orphan));
    }
    co_return reaped;
}

}  // namespace ov
