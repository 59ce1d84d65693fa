#include "cli/vm_snapshot_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/fleet_run.hpp"
#include "cli/vm_verbs.hpp"
#include "fleet/text_table.hpp"
#include "lifecycle/vm_snapshot.hpp"

namespace ov::cli {

namespace {

struct SnapshotCommand {
    std::string vm, instance, name, timeout;
    SnapshotOptions options;
    bool force = false, json = false;
};
using Command = std::shared_ptr<SnapshotCommand>;
using Verb = asio::awaitable<void> (*)(VmContext&, Hypervisors&, Command, AppContext&, Deadline);

VmIdentity machine_in(const SnapshotCommand& command) {
    return machine_of(command.vm, command.instance);
}

asio::awaitable<void> create(VmContext& context, Hypervisors& hypervisors, Command command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_in(*command);
    co_await create_snapshot(context, hypervisors, machine, command->name, command->options, deadline);
    app.err << fmt::format("Created {} snapshot {} of {}\n", command->options.mode, command->name, machine.domain());
}

asio::awaitable<void> revert(VmContext& context, Hypervisors& hypervisors, Command command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_in(*command);
    co_await revert_snapshot(context, hypervisors, machine, command->name, command->options, deadline);
    app.err << fmt::format("{} is back at snapshot {}\n", machine.domain(), command->name);
}

asio::awaitable<void> remove(VmContext& context, Hypervisors& hypervisors, Command command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_in(*command);
    co_await delete_snapshot(context, hypervisors, machine, command->name, command->force, command->options, deadline);
    app.err << fmt::format("Deleted snapshot {} of {}\n", command->name, machine.domain());
}

asio::awaitable<void> promote(VmContext& context, Hypervisors& hypervisors, Command command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_in(*command);
    co_await promote_snapshot(context, hypervisors, machine, command->name, deadline);
    app.err << fmt::format("Snapshot {} of {} has a file of its own\n", command->name, machine.domain());
}

nlohmann::ordered_json json_of(const state::Snapshot& entry) {
    nlohmann::ordered_json value = {{"name", entry.name}, {"mode", entry.mode}};
    for (const auto& [key, text] : {std::pair("disk_path", entry.disk_path), std::pair("active_path", entry.active_path),
                                    std::pair("description", entry.description), std::pair("created", entry.created),
                                    std::pair("parent", entry.parent), std::pair("state", entry.state)})
        if (!text.empty()) value[key] = text;
    value["refcount"] = entry.refcount;
    return value;
}

asio::awaitable<void> list(VmContext& context, Hypervisors&, Command command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_in(*command);
    const state::SnapshotRegistry registry = co_await list_snapshots(context, machine, deadline);
    if (command->json) {
        nlohmann::ordered_json all = nlohmann::ordered_json::array();
        for (const auto& [name, entry] : registry) all.push_back(json_of(entry));
        app.out << nlohmann::ordered_json{{"schema", 1}, {"vm", machine.key().substr(3)}, {"snapshots", all}}.dump(2) << '\n';
        co_return;
    }
    if (registry.empty()) {
        app.err << fmt::format("vm \"{}\": no snapshots\n", machine.key().substr(3));
        co_return;
    }
    TextTable table({"NAME", "MODE", "CREATED", "REFCOUNT", "DESCRIPTION"});
    for (const auto& [name, entry] : registry) {
        std::string description = entry.description;
        if (text_width(description) > 60) description = description.substr(0, 57) + "...";
        table.add({name, entry.mode, entry.created, std::to_string(entry.refcount), description});
    }
    app.out << table.str();
}

asio::awaitable<void> run(VmContext& context, Command command, AppContext& app, Verb work, Deadline deadline) {
    if (!command->timeout.empty()) command->options.timeout = parse_duration(command->timeout, "--timeout");
    Hypervisors hypervisors(context);
    co_await work(context, hypervisors, command, app, deadline);
    co_await hypervisors.close(deadline);
}

CLI::App* add_verb(CLI::App& snapshot, AppContext& context, const char* name, const char* help, Command command, Verb work,
                   bool named = true) {
    CLI::App* verb = snapshot.add_subcommand(name, help);
    verb->add_option("vm", command->vm, "VM: entity, or entity/instance")->required();
    if (named) verb->add_option("name", command->name, "Snapshot")->required();
    verb->add_option("-i,--instance", command->instance, "Instance");
    verb->footer(fmt::format("Example:\n  ov vm snapshot {} web{}", name, named ? " before-upgrade" : ""));
    verb->callback([command, &context, work] {
        context.action = [command, &context, work] {
            run_vm_work(context, [command, &context, work](VmContext& vms, Deadline deadline) {
                return run(vms, command, context, work, deadline);
            });
        };
    });
    return verb;
}

void add_timeout(CLI::App& verb, const Command& command) {
    verb.add_option("--timeout", command->timeout, "How long the guest may take to shut down (default: 60s)")
        ->type_name("DURATION");
}

}  // namespace

void add_vm_snapshot(CLI::App& vm, AppContext& context) {
    CLI::App* snapshot = vm.add_subcommand("snapshot", "Points in time of a VM's disk");
    snapshot->require_subcommand(1);
    snapshot->footer("Examples:\n  ov vm snapshot create web before-upgrade\n  ov vm snapshot revert web before-upgrade");

    auto command = std::make_shared<SnapshotCommand>();
    CLI::App* verb = add_verb(*snapshot, context, "create", "Remember the disk as it is now", command, create);
    verb->add_option(
            "--mode", command->options.mode,
            "external: freeze the disk and go on with an overlay (the VM is shut down for a moment); internal: inside the "
            "disk's file, with memory when it runs")
        ->check(CLI::IsMember({"external", "internal"}))
        ->capture_default_str();
    verb->add_option("--description", command->options.description, "A line for people");
    verb->add_flag("--quiesce", command->options.quiesce, "Recorded; an external snapshot is always of a VM that was shut down");
    add_timeout(*verb, command);

    command = std::make_shared<SnapshotCommand>();
    add_verb(*snapshot, context, "list", "All snapshots of a VM", command, list, false)
        ->add_flag("--json", command->json, "As JSON");

    command = std::make_shared<SnapshotCommand>();
    verb = add_verb(*snapshot, context, "delete", "Forget a snapshot; the VM stays as it is now", command, remove);
    verb->add_flag("--force", command->force, "Also when clones stand on it: its file stays for them");
    add_timeout(*verb, command);

    command = std::make_shared<SnapshotCommand>();
    verb =
        add_verb(*snapshot, context, "revert", "Put a VM back; what it wrote since its newest snapshot is lost", command, revert);
    add_timeout(*verb, command);

    add_verb(*snapshot, context, "promote", "Give an internal snapshot a file of its own", std::make_shared<SnapshotCommand>(),
             promote);
}

}  // namespace ov::cli
