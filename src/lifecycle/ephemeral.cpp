#include "lifecycle/ephemeral.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "async/process.hpp"
#include "lifecycle/managed_machine.hpp"
#include "lifecycle/vm_keys.hpp"
#include "lifecycle/vm_power.hpp"
#include "model/names.hpp"
#include "model/yaml_writer.hpp"
#include "ov/load.hpp"
#include "state/deploy_config.hpp"

namespace ov {

namespace {

using Clock = std::chrono::system_clock;

std::string rfc3339(Clock::time_point at) {
    const std::time_t seconds = Clock::to_time_t(at);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[32] = {};
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

std::optional<Clock::time_point> parse_rfc3339(const std::string& text) {
    std::tm parts{};
    if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) return std::nullopt;
    return Clock::from_time_t(::timegm(&parts));
}

YamlPtr entry_of(const YamlPtr& map, std::string_view key) {
    if (!map || !map->is_map()) return nullptr;
    for (const YamlEntry& entry : map->entries)
        if (entry.key == key) return entry.value;
    return nullptr;
}

std::string text_of(const YamlPtr& map, std::string_view key) {
    const YamlPtr value = entry_of(map, key);
    return value ? value->text : std::string();
}

/// The block of the deploy as the file has it now.
YamlPtr block_in(const state::DeployDocument& document, const std::string& key) {
    return entry_of(entry_of(document.node(key).body, "vm_state"), "ephemeral");
}

/// `vm_state.ephemeral` of the addressed entry alone; null removes it.
void set_block(state::DeployDocument& document, const std::string& key, const std::string& entity, const YamlPtr& block) {
    const DeployNode node = document.node(key);
    auto state = std::make_shared<YamlNode>();
    state->kind = YamlNode::Kind::map;
    if (const YamlPtr known = entry_of(node.body, "vm_state")) *state = *known;
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

asio::awaitable<void> save_block(RunContext& context, std::string key, std::string entity, YamlPtr block, Deadline deadline) {
    const std::string file = context.vms.deploy_file;
    auto save = [file, key, entity, block] {
        state::update_deploy_file(file, [&](state::DeployDocument& document) { set_block(document, key, entity, block); });
    };
    co_await context.runtime.pool.run(deadline, save);
}

/// The block as another process may have written it meanwhile.
asio::awaitable<YamlPtr> load_block(RunContext& context, std::string key, Deadline deadline) {
    const std::string file = context.vms.deploy_file;
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

asio::awaitable<bool> arm_by_systemd(std::vector<std::string> argv, Deadline deadline) {
    ProcessOptions options;
    options.argv = std::move(argv);
    try {
        const ProcessOutput output = co_await run_process(std::move(options), deadline.child(std::chrono::seconds(10)));
        co_return output.status == 0;
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled) throw;
    }
    co_return false;
}

/// A process of its own session, which outlives us. Returns its pid.
asio::awaitable<std::string> arm_detached(std::vector<std::string> argv, Deadline deadline) {
    ProcessOptions options;
    options.argv = std::move(argv);
    const ProcessOutput output = co_await run_process(std::move(options), deadline.child(std::chrono::seconds(10)));
    std::string pid = output.out;
    while (!pid.empty() && (pid.back() < '0' || pid.back() > '9')) pid.pop_back();
    if (output.status != 0 || pid.empty())
        throw Error(Errc::io, fmt::format("no timer could be armed for the ephemeral machine: {}", output.err));
    co_return pid;
}

asio::awaitable<std::string> arm(TimerCommand command, Deadline deadline) {
    const bool armed = co_await arm_by_systemd(command.systemd, deadline);
    if (armed) co_return command.unit + ".timer";
    const std::string pid = co_await arm_detached(command.detached, deadline);
    co_return "pid:" + pid;
}

/// The sleeping process, if the pid is still its own.
void end_sleeper(const std::string& pid) {
    const auto line = state::read_file("/proc/" + pid + "/cmdline");
    if (!line || line->find("ov-ttl") == std::string::npos) return;
    const int number = std::atoi(pid.c_str());
    // The leader of its own session: its `sleep` goes with it. Not when we are what it started.
    if (number > 1 && ::getsid(0) != number) ::kill(-number, SIGTERM);
}

asio::awaitable<void> disarm(RunContext& context, std::string timer, Deadline deadline) {
    if (timer.starts_with("pid:")) {
        auto end = [pid = timer.substr(4)] { end_sleeper(pid); };
        co_await context.runtime.pool.run(deadline, end);
    } else if (!timer.empty()) {
        std::vector<std::string> argv{"systemctl"};
        if (::geteuid() != 0) argv.push_back("--user");
        argv.push_back("stop");
        argv.push_back(timer);
        co_await arm_by_systemd(std::move(argv), deadline);
    }
}

/// Inside another ephemeral deploy nothing lives longer than that one.
std::chrono::seconds clipped(const RunContext& context, std::chrono::seconds ttl, std::string& parent, const EmitEvent& emit) {
    const char* word = std::getenv("OV_EPHEMERAL_PARENT");
    if (word == nullptr || *word == '\0') return ttl;
    const auto found = context.project->deploys.find(std::string_view(word));
    const YamlPtr block =
        found != context.project->deploys.end() && found->second.vm_state ? found->second.vm_state->ephemeral : nullptr;
    const auto end = parse_rfc3339(text_of(block, "ttl_deadline"));
    if (!end) {
        emit(event::Note{Severity::warning,
                         fmt::format("OV_EPHEMERAL_PARENT {}: no such ephemeral deploy; its time is not looked at", word)});
        return ttl;
    }
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(*end - Clock::now());
    if (left.count() <= 0) throw Error(Errc::timed_out, fmt::format("OV_EPHEMERAL_PARENT {}: its time is over", word));
    parent = text_of(block, "id");
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
    const YamlPtr before = co_await load_block(context, key, deadline);
    // The timer first: a crash from here on cannot outlive it.
    const std::string timer = co_await arm(command, deadline);
    std::vector<std::pair<std::string, YamlPtr>> block{{"id", yaml_text(id)}};
    if (!parent.empty()) block.emplace_back("parent_ephemeral", yaml_text(parent));
    block.emplace_back("child_refcount", yaml_integer(0));
    block.emplace_back("timer_unit", yaml_text(timer));
    block.emplace_back("ttl_deadline", yaml_text(rfc3339(Clock::now() + ttl)));
    block.emplace_back("status", yaml_text("active"));
    block.emplace_back("instance_name", yaml_text(name));
    co_await save_block(context, key, job.target.machine.entity, yaml_map(std::move(block)), deadline);
    const std::string old = text_of(before, "timer_unit");
    co_await disarm(context, old, deadline);  // a new deploy starts the time anew
    job.emit(event::Note{Severity::note, fmt::format("{} lives until {} ({})", name, rfc3339(Clock::now() + ttl), timer)});
}

}  // namespace

std::optional<std::chrono::seconds> parse_ttl(std::string_view text) {
    double total = 0;
    const std::string copy(text);
    const char* at = copy.c_str();
    const char* end = at + copy.size();
    while (at != end) {
        if (*at < '0' || *at > '9') return std::nullopt;
        char* after = nullptr;
        const double value = std::strtod(at, &after);
        if (after == at || after == end) return std::nullopt;
        const char unit = *after;
        at = after + 1;
        if (unit == 'm' && at != end && *at == 's') {
            total += value / 1000;
            ++at;
        } else if (unit == 'h') {
            total += value * 3600;
        } else if (unit == 'm') {
            total += value * 60;
        } else if (unit == 's') {
            total += value;
        } else {
            return std::nullopt;
        }
    }
    if (total < 1 || total > 1e9) return std::nullopt;
    return std::chrono::seconds(static_cast<long long>(total));
}

std::optional<EphemeralSpec> ephemeral_of(const DeployNode& node) {
    const YamlPtr value = entry_of(node.body, "ephemeral");
    if (!value) return std::nullopt;
    const auto wrong = [&](const std::string& what) {
        throw Error(Errc::spec_invalid, fmt::format("deploy {}: ephemeral: {}", node.key, what));
    };
    EphemeralSpec spec;
    if (node.disposable == false) wrong("an ephemeral machine is disposable; disposable: false contradicts it");
    if (!value->is_map()) {
        if (value->text == "true" || value->text == "yes" || value->text == "on") return spec;
        wrong(fmt::format("expected true or a mapping, got '{}'; omit the key for a machine that stays", value->text));
    }
    for (const YamlEntry& entry : value->entries)
        if (entry.key != "ttl" && entry.key != "keep_on_failure" && entry.key != "naming_pattern")
            wrong(fmt::format("unknown key {}; it has ttl, keep_on_failure, naming_pattern", entry.key));
    if (const std::string text = text_of(value, "ttl"); !text.empty()) {
        const auto ttl = parse_ttl(text);
        if (!ttl) wrong(fmt::format("ttl: expected a duration such as 30m, 2h or 1h30m, got '{}'", text));
        spec.ttl = *ttl;
    }
    if (const std::string text = text_of(value, "keep_on_failure"); !text.empty()) {
        if (text != "true" && text != "false") wrong(fmt::format("keep_on_failure: expected true or false, got '{}'", text));
        spec.keep_on_failure = text == "true";
    }
    if (std::string text = text_of(value, "naming_pattern"); !text.empty()) {
        instance_name_of(text, split_deploy_key(node.key).base, "000000");
        spec.naming_pattern = std::move(text);
    }
    return spec;
}

std::string instance_name_of(const std::string& pattern, const std::string& source, const std::string& uuid6) {
    std::string name = pattern;
    for (const auto& [variable, value] : {std::pair<std::string, std::string>{"{{.Source}}", source}, {"{{.UUID6}}", uuid6}})
        for (std::size_t at = 0; (at = name.find(variable, at)) != std::string::npos; at += value.size())
            name.replace(at, variable.size(), value);
    for (char& c : name)
        if (c == ':' || c == '/' || c == '.') c = '-';
    if (name.find("{{") != std::string::npos)
        throw Error(Errc::spec_invalid,
                    fmt::format("naming_pattern '{}': it knows {{{{.Source}}}} and {{{{.UUID6}}}} only", pattern));
    if (!is_valid_entity_name(name))
        throw Error(Errc::spec_invalid, fmt::format("naming_pattern '{}' makes '{}': {}", pattern, name, entity_name_rule));
    return name;
}

TimerCommand timer_command(const std::string& key, std::chrono::seconds ttl, const std::string& program,
                           const std::string& directory, const std::vector<std::string>& environment, bool root, long long now) {
    std::string word = key;
    for (char& c : word)
        if (c == '/' || c == '.' || c == ':') c = '-';
    TimerCommand command;
    command.unit = fmt::format("ov-deploy-del-{}-{}", word, now);
    const std::vector<std::string> work{program, "-C", directory, "deploy", "del", key, "--force"};
    command.systemd = {"systemd-run",
                       "--quiet",
                       "--collect",
                       "--unit=" + command.unit,
                       fmt::format("--on-active={}s", ttl.count()),
                       "--working-directory=" + directory};
    if (!root) command.systemd.insert(command.systemd.begin() + 1, "--user");
    for (const std::string& line : environment) command.systemd.push_back("--setenv=" + line);
    command.systemd.insert(command.systemd.end(), work.begin(), work.end());
    // The words arrive as arguments: nothing of them is shell text.
    command.detached = {"setsid",
                        "--fork",
                        "sh",
                        "-c",
                        "echo $$; exec </dev/null >/dev/null 2>&1; sleep \"$1\"; shift; exec \"$@\"",
                        "ov-ttl",
                        std::to_string(ttl.count())};
    command.detached.insert(command.detached.end(), work.begin(), work.end());
    return command;
}

bool is_ephemeral(const DeployTarget& target) {
    if (!target.is_managed()) return false;
    const bool live = target.node.vm_state && target.node.vm_state->ephemeral;
    return live || entry_of(target.node.body, "ephemeral") != nullptr;
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

asio::awaitable<std::string> del_ephemeral(RunContext& context, MachineJob job, Deadline deadline) {
    const std::string key = job.target.key;
    const YamlPtr block = co_await load_block(context, key, deadline);
    if (block) {
        auto tearing = std::make_shared<YamlNode>(*block);
        for (YamlEntry& entry : tearing->entries)
            if (entry.key == "status") entry.value = yaml_text("tearing_down");
        co_await save_block(context, key, job.target.machine.entity, tearing, deadline);
    }
    DestroyOptions options;
    options.force = true;
    options.disk = true;
    const DestroyResult result = co_await destroy_vm(context.vms, context.hypervisors, job.target.machine, options, deadline);
    job.emit(event::Note{Severity::note, fmt::format("{}: ephemeral, {}", job.target.machine.domain(),
                                                     result.existed ? "destroyed with its disk" : "was gone already")});
    const std::string timer = text_of(block, "timer_unit");
    co_await disarm(context, timer, deadline);
    const std::string file = context.vms.deploy_file;
    auto clear = [file, key] {
        state::update_deploy_file(file, [&](state::DeployDocument& document) {
            if (block_in(document, key)) set_block(document, key, {}, nullptr);
        });
    };
    co_await context.runtime.pool.run(deadline, clear);
    co_return std::string();
}

}  // namespace ov
