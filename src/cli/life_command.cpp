#include "cli/life_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "async/task_group.hpp"
#include "cli/become_program.hpp"
#include "cli/fleet_run.hpp"
#include "cli/vm_verbs.hpp"
#include "fleet/text_table.hpp"
#include "lifecycle/deploy_life.hpp"
#include "lifecycle/nested_status.hpp"

namespace ov::cli {

namespace {

struct LifeCommand {
    std::string name, instance, timeout, command;
    bool force = false, json = false, all = false, nested = false, follow = false, terminal = false, build = false,
         dry_run = false;
    std::size_t tail = 0;
    std::vector<std::string> become;
    bool rebuilt = false;
    std::string key() const { return instance.empty() ? name : name + "/" + instance; }
};
using Command = std::shared_ptr<LifeCommand>;
using Verb = asio::awaitable<void> (*)(VmContext&, Command, AppContext&, Deadline);

asio::awaitable<void> start(VmContext& context, Command command, AppContext& app, Deadline deadline) {
    const DeployTarget target = resolve_target(*context.project, command->key(), false);
    require_managed(target, "start");
    Hypervisors hypervisors(context);
    const MachineState before = co_await start_vm(context, hypervisors, target.machine, deadline);
    app.err << fmt::format("{} {}\n", target.machine.domain(),
                           before == MachineState::running  ? "is running already"
                           : before == MachineState::paused ? "resumed"
                                                            : "started");
    co_await hypervisors.close(deadline);
}

asio::awaitable<void> stop(VmContext& context, Command command, AppContext& app, Deadline deadline) {
    const DeployTarget target = resolve_target(*context.project, command->key(), false);
    require_managed(target, "stop");
    Hypervisors hypervisors(context);
    StopOptions options;
    options.way = command->force ? StopOptions::Way::force : StopOptions::Way::graceful;
    if (!command->timeout.empty()) options.timeout = parse_duration(command->timeout, "--timeout");
    const StopResult result = co_await stop_vm(context, hypervisors, target.machine, options, deadline);
    app.err << fmt::format("{} {}\n", target.machine.domain(),
                           result == StopResult::undefined ? "is not defined on this host: there is nothing to stop"
                           : result == StopResult::was_off ? "was not running"
                                                           : "stopped");
    co_await hypervisors.close(deadline);
}

asio::awaitable<void> restart(VmContext& context, Command command, AppContext& app, Deadline deadline) {
    co_await stop(context, command, app, deadline);
    co_await start(context, command, app, deadline);
}

asio::awaitable<void> ask_into(VmContext& context, Hypervisors& hypervisors, DeployTarget target, Deadline deadline,
                               DeployStatus* into) {
    *into = co_await deploy_status(context, hypervisors, std::move(target), deadline);
}

asio::awaitable<void> ask_nested(VmContext& context, Hypervisors& hypervisors, DeployTarget target, Deadline deadline,
                                 std::vector<NestedStatus>* into) {
    *into = co_await nested_status(context, hypervisors, std::move(target), deadline);
}

/// A VM of this host is reached over a forwarded port; an external machine has its own address.
bool is_forwarded(const DeployStatus& status) {
    return status.backend != "external";
}

nlohmann::json status_json(const DeployStatus& status, const std::vector<NestedStatus>& nested) {
    nlohmann::json children = nlohmann::json::array();
    for (const NestedStatus& child : nested)
        children.push_back({{"name", child.name}, {"depth", child.depth}, {"status", child.state}});
    nlohmann::json ports = nlohmann::json::array();
    if (status.port > 0)
        ports.push_back({{"host_ip", is_forwarded(status) ? "127.0.0.1" : status.host},
                         {"host_port", status.port},
                         {"container_port", 22},
                         {"protocol", "tcp"}});
    return {{"kind", "vm"},
            {"image", status.entity},
            {"instance", status.instance},
            {"status", status.state},
            {"healthy", status.healthy()},
            {"source", status.backend},
            {"container", status.domain},
            {"ports", ports},
            {"key", status.key},
            {"ssh", status.ssh},
            {"nested", children},
            {"defined", status.defined}};
}

asio::awaitable<void> status(VmContext& context, Command command, AppContext& app, Deadline deadline) {
    std::vector<DeployTarget> targets;
    if (command->name.empty())
        targets = all_targets(*context.project);
    else
        targets.push_back(resolve_target(*context.project, command->key(), false));
    Hypervisors hypervisors(context);
    std::vector<DeployStatus> rows(targets.size());
    std::vector<std::vector<NestedStatus>> nested(targets.size());
    auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
        for (std::size_t i = 0; i < targets.size(); ++i) {
            group.spawn(ask_into(context, hypervisors, targets[i], group.deadline(), &rows[i]));
            if (command->nested) group.spawn(ask_nested(context, hypervisors, targets[i], group.deadline(), &nested[i]));
        }
        co_return;
    };
    co_await with_task_group(deadline, body);
    if (command->json) {
        nlohmann::json all = nlohmann::json::array();
        for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(status_json(rows[i], nested[i]));
        app.out << all.dump(2) << '\n';
    } else {
        TextTable table({"KIND", "IMAGE", "STATUS", "PORTS", "SOURCE", "DEPLOY"});
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const DeployStatus& row = rows[i];
            table.add({"vm", row.instance.empty() ? row.entity : row.entity + "-" + row.instance, row.state,
                       row.port > 0 && is_forwarded(row) ? fmt::format("127.0.0.1:{}->22/tcp", row.port) : row.ssh, row.backend,
                       row.key});
            for (const NestedStatus& child : nested[i])
                table.add({"", std::string(static_cast<std::size_t>(child.depth) * 2, ' ') + "└─ " + child.name, child.state, "",
                           "", ""});
        }
        app.out << table.str();
    }
    co_await hypervisors.close(deadline);
}

asio::awaitable<void> logs(VmContext& context, Command command, AppContext& app, Deadline deadline) {
    Hypervisors hypervisors(context);
    auto out = [&app](std::string_view text) { app.out << text << std::flush; };
    std::function<void(std::string_view)> sink = out;
    co_await deploy_logs(context, hypervisors, resolve_target(*context.project, command->key(), false), command->tail,
                         command->follow, sink, deadline);
    co_await hypervisors.close(deadline);
}

asio::awaitable<void> shell(VmContext& context, Command command, AppContext&, Deadline deadline) {
    Hypervisors hypervisors(context);
    const bool terminal = command->terminal || (command->command.empty() && ::isatty(STDIN_FILENO) == 1);
    command->become = co_await shell_command(context, hypervisors, resolve_target(*context.project, command->key(), false),
                                             command->command, terminal, deadline);
    co_await hypervisors.close(deadline);
}

asio::awaitable<void> rebuild(VmContext& context, Command command, AppContext& app, Deadline deadline) {
    const DeployTarget target = resolve_target(*context.project, command->key(), false);
    if (!target.is_managed() || target.outer) co_return;
    RebuildOptions options;
    options.build = command->build;
    if (command->dry_run) {
        for (const std::string& step : rebuild_steps(target, options)) app.out << "dry-run: " << step << '\n';
        command->rebuilt = true;
        co_return;
    }
    Hypervisors hypervisors(context);
    co_await rebuild_vm(context, hypervisors, target, options, deadline);
    co_await hypervisors.close(deadline);
    command->rebuilt = true;
}

CLI::App* add_verb(CLI::App& app, AppContext& context, const char* name, const char* help, Command command, Verb work) {
    CLI::App* verb = app.add_subcommand(name, help);
    verb->add_option("name", command->name, "Deploy, or VM entity")->required(std::string_view(name) != "status");
    verb->add_option("-i,--instance", command->instance, "Instance");
    verb->callback([command, &context, work] {
        context.action = [command, &context, work] {
            run_vm_work(context, [command, &context, work](VmContext& vms, Deadline deadline) {
                return work(vms, command, context, deadline);
            });
            if (!command->become.empty()) become_program(command->become);
        };
    });
    return verb;
}

void add_update(CLI::App& app, AppContext& context) {
    auto flags = std::make_shared<FleetFlags>();
    auto command = std::make_shared<LifeCommand>();
    CLI::App* verb = app.add_subcommand("update", "Make a deploy's VM anew, or apply its layers again where it cannot be");
    verb->add_option("name", command->name, "Deploy, or VM entity")->required();
    verb->add_option("-i,--instance", command->instance, "Instance");
    verb->add_flag("--build", command->build, "Also a new disk; the layers are applied to it");
    add_apply_flags(*verb, *flags);
    add_display_flags(*verb, *flags);
    verb->footer("Examples:\n  ov update web --dry-run\n  ov update web --build --yes\n  ov update cloud-1 --yes");
    verb->callback([=, &context] {
        context.action = [=, &context] {
            if (command->name.starts_with('@'))
                throw Error(Errc::usage, fmt::format("{}: a remote reference is no deploy", command->name));
            command->dry_run = flags->request.dry_run;
            run_vm_work(context, [command, &context](VmContext& vms, Deadline deadline) {
                return rebuild(vms, command, context, deadline);
            });
            // A machine that kept its disk has its layers.
            if (command->rebuilt && (!command->build || command->dry_run)) return;
            flags->request.names = {command->key()};
            flags->request.verb = FleetVerb::add;
            flags->request.command = "update";
            flags->request.jobs = 1;
            flags->display.single = true;
            run_fleet(*flags, context);
        };
    });
}

}  // namespace

void add_life_commands(CLI::App& app, AppContext& context) {
    add_verb(app, context, "start", "Start a deploy's VM", std::make_shared<LifeCommand>(), start)
        ->footer("Example:\n  ov start web");
    auto command = std::make_shared<LifeCommand>();
    CLI::App* verb = add_verb(app, context, "stop", "Shut a deploy's VM down", command, stop);
    verb->add_flag("--force", command->force, "Power it off");
    verb->add_option("--timeout", command->timeout, "How long the guest may take (default: 60s)")->type_name("DURATION");
    verb->footer("Example:\n  ov stop web --timeout 3m");
    command = std::make_shared<LifeCommand>();
    verb = add_verb(app, context, "restart", "Stop and start a deploy's VM", command, restart);
    verb->add_flag("--force", command->force, "Power it off instead of asking the guest");
    verb->footer("Example:\n  ov restart web");
    command = std::make_shared<LifeCommand>();
    verb = add_verb(app, context, "status", "Which machines there are and whether they run", command, status);
    verb->add_flag("-a,--all", command->all, "Also those that do not run (they are shown anyway)");
    verb->add_flag("--nested", command->nested, "Also the nested deploys, and whether each answers");
    verb->add_flag("--json", command->json, "As JSON");
    verb->footer("Examples:\n  ov status\n  ov status web --json\n  ov status --nested");
    command = std::make_shared<LifeCommand>();
    verb = add_verb(app, context, "logs", "What a deploy's VM wrote to its serial console", command, logs);
    verb->add_flag("-f,--follow", command->follow, "Go on as it comes");
    verb->add_option("-n,--tail", command->tail, "Only the last lines; 0: all");
    verb->footer("Example:\n  ov logs web -n 50");
    command = std::make_shared<LifeCommand>();
    verb = add_verb(app, context, "shell", "A shell on a deploy's machine; its exit status is ours", command, shell);
    verb->add_option("-c,--command", command->command, "Run this instead");
    verb->add_flag("--tty", command->terminal, "With a terminal");
    verb->footer("Examples:\n  ov shell web\n  ov shell lab.web -c 'uname -a'");
    add_update(app, context);
}

}  // namespace ov::cli
