#include <fmt/format.h>

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <charconv>
#include <mutex>
#include <random>

#include "async/sigpipe_guard.hpp"
#include "fleet/report.hpp"
#include "fleet/scheduler.hpp"
#include "fleet/selector.hpp"
#include "lifecycle/check_list.hpp"
#include "lifecycle/dry_run.hpp"
#include "lifecycle/ephemeral.hpp"
#include "lifecycle/image_work.hpp"
#include "lifecycle/instance_work.hpp"
#include "lifecycle/instances.hpp"
#include "lifecycle/load_layers.hpp"
#include "lifecycle/machine_work.hpp"
#include "lifecycle/managed_machine.hpp"
#include "lifecycle/pods.hpp"
#include "ov/fleet.hpp"
#include "ov/load.hpp"

namespace ov {

namespace {

std::uint64_t seed_or_random(std::uint64_t seed) {
    if (seed != 0) return seed;
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

bool applies(FleetVerb verb) {
    return verb == FleetVerb::add || verb == FleetVerb::update || verb == FleetVerb::up;
}

std::vector<DeployTarget> choose(const Project& project, const FleetRequest& request) {
    const bool for_add = request.verb == FleetVerb::add;
    if (request.verb == FleetVerb::up) return instance_targets(project, request.entity, request.count, request.from_key);
    if (request.verb == FleetVerb::down)
        return request.count > 0 ? instance_targets(project, request.entity, request.count, request.from_key)
                                 : known_instances(project, request.entity);
    std::vector<DeployTarget> chosen;
    if (!request.names.empty()) {
        for (const std::string& name : request.names) chosen.push_back(resolve_target(project, name, for_add));
        return chosen;
    }
    std::vector<DeployTarget> targets = all_targets(project);
    std::vector<Candidate> universe;
    for (const DeployTarget& target : targets) {
        std::vector<std::string> tags = target.node.tags;
        tags.insert(tags.end(), target.entity.tags.begin(), target.entity.tags.end());
        universe.push_back({target.key, target.machine.entity, target.machine.instance, std::move(tags)});
    }
    for (const std::string& key : select(universe, request.selectors, request.all, request.limit))
        for (DeployTarget& target : targets)
            if (target.key == key) chosen.push_back(target);
    return chosen;
}

Finding::Kind kind_of(const FleetRequest& request, const DeployTarget& target) {
    if (request.verb == FleetVerb::status) return Finding::Kind::status;
    if (request.verb == FleetVerb::cp_image) return Finding::Kind::image;
    if (request.dry_run && applies(request.verb)) return Finding::Kind::plans;
    if (request.verb == FleetVerb::del && request.dry_run) return Finding::Kind::undo;
    // An ephemeral machine goes as a whole.
    if (request.verb == FleetVerb::del && !is_ephemeral(target)) return Finding::Kind::removed;
    return Finding::Kind::none;
}

/// Says which deploy asked for what is not there, and where that is written.
template <class Work>
void of_deploy(const DeployTarget& target, const Work& work) {
    try {
        work();
    } catch (const LayerNotFound& error) {
        if (!error.required_by().empty()) throw;  // names the layer that wants it
        const SourcePosition& at = target.node.where;
        throw error.within(at.line > 0 ? fmt::format("{}:{}:{}: deploy {}", at.file, at.line, at.column, target.key)
                                       : fmt::format("deploy {}", target.key));
    }
}

/// The place of a finding stands before its text; that it is a warning is said by the note.
event::Note note_of(Diagnostic warning) {
    warning.severity = Severity::error;
    return {Severity::warning, warning.str()};
}

/// "debian@127.0.0.1:2301", or the name by which ssh knows it.
std::string host_of(const SshDestination& to) {
    return fmt::format("{}{}{}", to.user.empty() ? "" : to.user + "@", to.host, to.port > 0 ? fmt::format(":{}", to.port) : "");
}

using MachineVerb = asio::awaitable<std::string> (*)(RunContext&, MachineJob, Deadline);

MachineVerb function_of(const FleetRequest& request, const DeployTarget& target) {
    const bool ephemeral = is_ephemeral(target) && !request.dry_run;
    switch (request.verb) {
        case FleetVerb::add:
            return ephemeral ? &add_ephemeral : &add_to_machine;
        case FleetVerb::del:
            return ephemeral ? &del_ephemeral : &del_from_machine;
        case FleetVerb::update:
            return &update_machine;
        case FleetVerb::test:
            return &test_machine;
        case FleetVerb::status:
            return &status_of_machine;
        case FleetVerb::up:
            return &bring_up;
        case FleetVerb::down:
            return &take_down;
        case FleetVerb::cp_image:
            return &copy_image_to_machine;
    }
    throw Error(Errc::internal, "no such verb");
}

}  // namespace

Share parse_share(const std::string& text, const std::string& option) {
    Share share;
    std::string_view digits = text;
    share.percent = digits.ends_with('%');
    if (share.percent) digits.remove_suffix(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), share.value);
    if (error != std::errc{} || end != digits.data() + digits.size() || (share.percent && share.value > 100))
        throw Error(Errc::usage, fmt::format("{}: expected a number or a percentage up to 100%, got '{}'", option, text));
    return share;
}

struct Engine::Impl {
    explicit Impl(std::uint64_t seed) : runtime(seed) {}

    Runtime runtime;
    std::mutex mutex;  ///< of `current`: cancel() comes from other threads
    std::optional<Deadline> current;
    std::vector<Finding> findings;

    void set_current(std::optional<Deadline> deadline) {
        const std::lock_guard lock(mutex);
        current = std::move(deadline);
    }

    /// The project with what it imports from git repositories.
    Project load(const FleetRequest& request, const OperatorPaths& paths) {
        const LoadOptions options{request.project_directory, request.deploy_file.value_or(paths.deploy_file())};
        const Deadline deadline = Deadline::unlimited("project");
        set_current(deadline);
        Project project = load_project(options, RemoteAccess{paths.repositories, runtime, deadline});
        set_current(std::nullopt);
        return project;
    }

    /// Layers from elsewhere of everything that will be deployed, before the first machine is contacted.
    void fetch_layers(Project& project, const std::vector<DeployTarget>& targets, const FleetRequest& request,
                      const OperatorPaths& paths) {
        const Deadline deadline = Deadline::unlimited("layers");
        const RemoteAccess access{paths.repositories, runtime, deadline};
        set_current(deadline);
        std::vector<std::string> refs;
        const auto add = [&](const std::string& ref) {
            refs.push_back(is_directory_ref(ref) ? resolve_layer_ref(project, ref, project.directory) : ref);
        };
        for (const DeployTarget& target : targets) {
            const PlanInputs inputs = plan_inputs(target.node, request);
            if (inputs.primary.empty() && inputs.add_layers.empty() && request.verb == FleetVerb::up) continue;
            for (const std::string& ref : inputs.add_layers) add(ref);
            if (!target.pod_image.empty()) fetch_image_layers(project, target.pod_image, access);
            if (!request.node_only)
                for (const PodChild& child : pod_children(target.node)) fetch_image_layers(project, child.image, access);
            fetch_image(project, inputs.primary, access);
            const auto image = project.images.find(inputs.primary);
            if (image == project.images.end()) {
                add(inputs.primary);
                continue;
            }
            const YamlNode* list = image->second ? image->second->find("layer") : nullptr;
            if (list == nullptr) continue;
            for (const YamlPtr& item : list->items) refs.push_back(item->text);
        }
        fetch_remote_layers(project, refs, access);
        set_current(std::nullopt);
    }

    /// The image of the run, before the first machine is contacted.
    std::shared_ptr<ImageSupply> find_image(const FleetRequest& request, std::size_t machines) {
        const Deadline deadline = Deadline::unlimited("image").child(std::chrono::minutes(2));
        set_current(deadline);
        const SigpipeGuard pipes;
        std::shared_ptr<ImageSupply> supply;
        const int at_work = static_cast<int>(std::min<std::size_t>(machines, static_cast<std::size_t>(request.jobs)));
        const auto find = [&]() -> asio::awaitable<void> {
            supply = co_await find_supply(runtime.io.get_executor(), request.image_ref, at_work, deadline);
        };
        runtime.run_until_done(find());
        set_current(std::nullopt);
        return supply;
    }

    std::vector<VmWork> works_of(RunContext& context, const std::vector<DeployTarget>& targets) {
        std::vector<VmWork> works;
        for (std::size_t i = 0; i < targets.size(); ++i) {
            const DeployTarget& target = targets[i];
            const MachineVerb verb = function_of(context.request, target);
            VmWork work;
            work.key = target.key;
            work.entity = target.machine.entity;
            work.instance = target.machine.instance;
            work.host = target.is_local()     ? (target.node.host.empty() ? "localhost" : target.node.host)
                        : target.is_managed() ? host_of(managed_destination(context.vms, target))
                                              : target.entity.ssh.host;
            work.machine = target.machine_name();
            work.run = [this, &context, target, verb, i](WorkSlot& slot, EmitEvent emit,
                                                         Deadline deadline) -> asio::awaitable<void> {
                MachineJob job{target, &slot, emit};
                std::string text = co_await verb(context, std::move(job), deadline);
                findings[i].text = std::move(text);
            };
            works.push_back(std::move(work));
        }
        return works;
    }
};

Engine::Engine() : Engine(Options{}) {}
Engine::Engine(Options options) : impl_(std::make_unique<Impl>(seed_or_random(options.seed))) {}
Engine::~Engine() = default;

asio::any_io_executor Engine::executor() {
    return impl_->runtime.io.get_executor();
}

const std::vector<Finding>& Engine::findings() const {
    return impl_->findings;
}

void Engine::cancel() {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->current) return;
    asio::post(impl_->runtime.io, [deadline = *impl_->current] { deadline.cancel(); });
}

std::vector<std::string> Engine::selection(const FleetRequest& request) {
    std::vector<std::string> keys;
    const Project project = impl_->load(request, operator_paths());
    for (const DeployTarget& target : choose(project, request)) keys.push_back(target.key);
    return keys;
}

Report Engine::run(FleetRequest request, EventSink events) {
    const OperatorPaths paths = operator_paths();
    Impl& impl = *impl_;
    Project loaded = impl.load(request, paths);
    const std::vector<DeployTarget> targets = choose(loaded, request);
    check_choice({request.check_section, request.check_verbs});
    if (applies(request.verb) || request.verb == FleetVerb::test) impl.fetch_layers(loaded, targets, request, paths);
    const auto project = std::make_shared<const Project>(std::move(loaded));

    RunContext context(impl.runtime, project, paths);
    context.request = std::move(request);
    context.run = fmt::format("{:016x}", impl.runtime.next_seed());
    if (context.request.verb == FleetVerb::cp_image) context.image = impl.find_image(context.request, targets.size());
    // What can be wrong with the plans or the destinations is found before the first machine is contacted.
    for (const DeployTarget& target : targets) {
        const PlanInputs inputs = plan_inputs(target.node, context.request);
        if (applies(context.request.verb)) of_deploy(target, [&] { context.plans.layers_of(inputs); });
        std::vector<std::string> notes;
        const bool checked = context.request.verb == FleetVerb::test ||
                             context.request.verify.value_or(target.node.install.verify.value_or(false));
        if (checked) checks_of(*project, target, inputs, {context.request.check_section, context.request.check_verbs}, notes);
        if (applies(context.request.verb)) ephemeral_of(target.node);
        if (!target.is_this_host() && !target.is_managed()) destination_of(target, paths);
    }

    impl.findings.clear();
    for (const DeployTarget& target : targets) impl.findings.push_back({target.key, {}, kind_of(context.request, target)});
    ReportBuilder builder;
    EventStream stream(context.run, [] { return std::chrono::system_clock::now(); });
    stream.add([&builder](const DeployEvent& event) { builder.on_event(event); });
    if (events) stream.add(events);
    event::RunStarted started;
    started.command = context.request.command;
    started.jobs = context.request.jobs;
    for (const DeployTarget& target : targets) started.vms.push_back(target.key);
    stream.emit({}, std::move(started));
    for (const Diagnostic& warning : project->warnings) stream.emit({}, note_of(warning));
    const auto start = Deadline::Clock::now();

    Report report;
    const auto finish = [&] {
        const double seconds = std::chrono::duration<double>(Deadline::Clock::now() - start).count();
        report = builder.finish(seconds, 0);
        for (std::size_t i = 0; i < report.vms.size(); ++i) report.vms[i].finding = impl.findings[i];
        stream.emit({}, event::RunFinished{report.exit_code, seconds, report.totals});
    };
    if (applies(context.request.verb) && context.request.dry_run) {
        for (std::size_t i = 0; i < targets.size(); ++i) {
            event::VmFinished end;
            try {
                impl.findings[i].text = plans_without_machine(context, targets[i], stream.emitter(targets[i].key));
            } catch (const Error& error) {
                end.outcome = outcome_of(error.code());
                end.error = error.code();
                end.reason = error.what();
            }
            stream.emit(targets[i].key, std::move(end));
        }
        finish();
        return report;
    }
    FleetLimits limits{context.request.jobs, context.request.batch, context.request.max_fail, context.request.fail_fast,
                       context.request.timeout};
    const Deadline all = Deadline::unlimited();
    impl.set_current(all);
    std::exception_ptr failure;
    const SigpipeGuard pipes;
    impl.runtime.io.restart();
    asio::co_spawn(impl.runtime.io, run_works(stream, impl.works_of(context, targets), limits, all),
                   [&](std::exception_ptr error) {
                       failure = error;
                       finish();
                   });
    impl.runtime.io.run();
    impl.set_current(std::nullopt);
    if (failure) std::rethrow_exception(failure);
    return report;
}

}  // namespace ov
