#include "cli/vm_power_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "cli/fleet_run.hpp"
#include "cli/vm_entity_ref.hpp"
#include "cli/vm_verbs.hpp"
#include "lifecycle/vm_power.hpp"

namespace ov::cli {

namespace {

struct PowerCommand {
    std::string name, instance, timeout;
    bool force = false, disk = false, keep_deploy = false;
    std::chrono::milliseconds limit() const {
        return timeout.empty() ? std::chrono::seconds(60) : parse_duration(timeout, "--timeout");
    }
};
using Command = std::shared_ptr<PowerCommand>;
using Verb = asio::awaitable<void> (*)(VmContext&, Command, AppContext&, Deadline);

asio::awaitable<void> start(VmContext& context, Command command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_of(command->name, command->instance);
    Hypervisors hypervisors(context);
    const MachineState before = co_await start_vm(context, hypervisors, machine, deadline);
    if (before == MachineState::running)
        app.err << fmt::format("{} is running already\n", machine.domain());
    else
        app.err << fmt::format("{} {}\n", before == MachineState::shut_off ? "Started" : "Resumed", machine.domain());
    co_await hypervisors.close(deadline);
}

asio::awaitable<void> stop(VmContext& context, Command command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_of(command->name, command->instance);
    Hypervisors hypervisors(context);
    const StopOptions options{command->force ? StopOptions::Way::force : StopOptions::Way::graceful, command->limit()};
    const StopResult result = co_await stop_vm(context, hypervisors, machine, options, deadline);
    if (result == StopResult::undefined)
        app.err << fmt::format("{} is not defined on this host: there is nothing to stop{}\n", machine.domain(),
                               near_vm(*context.project, machine.entity));
    else if (result == StopResult::was_off)
        app.err << fmt::format("{} was not running\n", machine.domain());
    else
        app.err << fmt::format("{} {}\n", result == StopResult::guest_shut_down ? "Stopped" : "Powered off", machine.domain());
    co_await hypervisors.close(deadline);
}

asio::awaitable<void> destroy(VmContext& context, Command command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_of(command->name, command->instance);
    Hypervisors hypervisors(context);
    DestroyOptions options;
    options.force = command->force;
    options.timeout = command->limit();
    options.disk = command->disk;
    options.keep_deploy = command->keep_deploy;
    const DestroyResult result = co_await destroy_vm(context, hypervisors, machine, options, deadline);
    if (!result.known)
        app.err << fmt::format("there is no {} on this host, and nothing of it is left{}\n", machine.domain(),
                               near_vm(*context.project, machine.entity));
    else
        app.err << fmt::format("{} {}{}\n", result.existed ? "Destroyed" : "Cleared what was left of", machine.domain(),
                               options.disk ? ", its disk and keys" : "");
    co_await hypervisors.close(deadline);
}

CLI::App* add_verb(CLI::App& vm, AppContext& context, const char* name, const char* help, Command command, Verb work) {
    CLI::App* verb = vm.add_subcommand(name, help);
    verb->add_option("vm", command->name, "VM: entity, or entity/instance")->required();
    verb->add_option("-i,--instance", command->instance, "Instance");
    verb->callback([command, &context, work] {
        context.action = [command, &context, work] {
            run_vm_work(
                context,
                [command, &context, work](VmContext& vms, Deadline deadline) { return work(vms, command, context, deadline); },
                NeedsProject::if_there);
        };
    });
    return verb;
}

}  // namespace

void add_vm_power(CLI::App& vm, AppContext& context) {
    add_verb(vm, context, "start", "Boot a VM that is off, resume one that is paused", std::make_shared<PowerCommand>(), start)
        ->footer("Examples:\n  ov vm start web\n  ov vm start web -i 2");

    auto command = std::make_shared<PowerCommand>();
    CLI::App* verb = add_verb(vm, context, "stop", "Shut a VM down and wait until it is off", command, stop);
    verb->add_flag("--force", command->force, "Power it off without asking the guest");
    verb->add_option("--timeout", command->timeout, "How long the guest may take (default: 60s)")->type_name("DURATION");
    verb->footer("Examples:\n  ov vm stop web\n  ov vm stop web --timeout 3m\n  ov vm stop web --force");

    command = std::make_shared<PowerCommand>();
    verb = add_verb(vm, context, "destroy", "End and forget a VM; its disk, keys and your instance.yml stay", command, destroy);
    verb->add_flag("--force", command->force, "Power it off without asking the guest; also when snapshots have dependants");
    verb->add_option("--timeout", command->timeout, "How long the guest may take before it is powered off (default: 60s)")
        ->type_name("DURATION");
    verb->add_flag("--disk", command->disk, "Also delete its disk, seed, keys, UEFI variables and snapshots");
    verb->add_flag("--keep-deploy", command->keep_deploy, "Leave its state in deploy.yml");
    verb->footer("Examples:\n  ov vm destroy web\n  ov vm destroy web -i 2 --disk\n  ov vm destroy web --keep-deploy");
}

}  // namespace ov::cli
