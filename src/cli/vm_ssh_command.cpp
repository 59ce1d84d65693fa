#include "cli/vm_ssh_command.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/become_program.hpp"
#include "cli/remote_project.hpp"
#include "cli/vm_entity_ref.hpp"
#include "cli/vm_verbs.hpp"
#include "lifecycle/console_relay.hpp"
#include "lifecycle/hypervisors.hpp"

namespace ov::cli {

namespace {

struct SshCommand {
    std::string name, instance, user;
    int port = 0;
};

/// ssh looks for its configuration in the account's home, whatever HOME says.
bool is_home_of_account(const std::string& home) {
    const passwd* entry = ::getpwuid(::getuid());
    return entry != nullptr && home == entry->pw_dir;
}

/// What helps who has no entry: that depends on what the project says of the machine.
std::string way_in(const VmIdentity& machine, const AppContext& app) {
    const Remote remote;
    if (std::filesystem::exists(app.directory + "/overthink.yml")) {
        const Project project = load(app.directory, remote);
        const auto entity = project.vms.find(machine.entity);
        if (entity == project.vms.end()) {
            const std::string near = near_vm(project, machine.entity);
            return near.empty() ? "; the project has no VM of that name" : near;
        }
        if (entity->second.external()) return fmt::format(": it is an external machine; `ov shell {}` logs in", machine.entity);
    }
    return fmt::format("; `ov vm create {}` makes one", machine.entity);
}

void run_ssh(const SshCommand& command, const AppContext& app) {
    const VmIdentity machine = machine_of(command.name, command.instance);
    const OperatorPaths paths = operator_paths();
    const state::SshConfigPaths files = state::ssh_config_paths(paths.home);
    const std::string alias = machine.domain();
    const auto text = state::read_file(files.fragment);
    if (!text || ("\n" + *text).find("\nHost " + alias + "\n") == std::string::npos)
        throw Error(Errc::not_found, fmt::format("{} has no entry in {}{}", alias, files.fragment, way_in(machine, app)));
    std::vector<std::string> argv{"ssh"};
    if (!is_home_of_account(paths.home)) argv.insert(argv.end(), {"-F", files.user});
    if (command.port != 0) argv.insert(argv.end(), {"-p", std::to_string(command.port)});
    if (!command.user.empty()) argv.insert(argv.end(), {"-l", command.user});
    argv.insert(argv.end(), {"--", alias});
    argv.insert(argv.end(), app.remote_words.begin(), app.remote_words.end());
    become_program(std::move(argv));
}

struct ConsoleCommand {
    std::string name, instance;
    std::vector<std::string> become;  ///< virsh, for libvirt
};

asio::awaitable<void> console(VmContext& context, std::shared_ptr<ConsoleCommand> command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_of(command->name, command->instance);
    Hypervisors hypervisors(context);
    const LocatedVm found = co_await hypervisors.locate(machine, deadline);
    if (found.backend == nullptr)
        throw Error(Errc::not_found, fmt::format("VM \"{}\" is not defined on this host; run: ov vm create {}",
                                                 machine.domain().substr(3), machine.entity));
    if (!is_active(found.state))
        throw Error(Errc::busy,
                    fmt::format("{} is {}: no console; run: ov vm start {}", found.name, to_string(found.state), machine.entity));
    if (found.backend->kind() == Backend::libvirt) {
        command->become = {"virsh", "-c", found.libvirt_uri, "console", found.name};
    } else {
        app.err << fmt::format("Connected to {}; Ctrl-] leaves\n", found.name) << std::flush;
        co_await relay_console(context.files(machine).console(), deadline);
        app.err << "\n";
    }
    co_await hypervisors.close(deadline);
}

}  // namespace

void add_vm_ssh(CLI::App& vm, AppContext& context) {
    auto command = std::make_shared<SshCommand>();
    CLI::App* verb = vm.add_subcommand("ssh", "Log in to a VM, or run a command there; its exit status is ours");
    verb->add_option("vm", command->name, "VM: entity, or entity/instance; everything behind it goes to the guest")->required();
    verb->add_option("-i,--instance", command->instance, "Instance");
    verb->add_option("-p,--port", command->port, "Port (default: as in the managed ssh stanza)")->check(CLI::Range(1, 65535));
    verb->add_option("-l,--user", command->user, "User (default: as in the managed ssh stanza)");
    verb->footer("Examples:\n  ov vm ssh web\n  ov vm ssh web uname -a\n  ov vm ssh -l root web");
    verb->callback([command, &context] { context.action = [command, &context] { run_ssh(*command, context); }; });
}

void add_vm_console(CLI::App& vm, AppContext& context) {
    auto command = std::make_shared<ConsoleCommand>();
    CLI::App* verb = vm.add_subcommand("console", "A VM's serial console; Ctrl-] leaves");
    verb->add_option("vm", command->name, "VM: entity, or entity/instance")->required();
    verb->add_option("-i,--instance", command->instance, "Instance");
    verb->footer("Examples:\n  ov vm console web");
    verb->callback([command, &context] {
        context.action = [command, &context] {
            run_vm_work(
                context,
                [command, &context](VmContext& vms, Deadline deadline) { return console(vms, command, context, deadline); },
                NeedsProject::if_there);
            if (!command->become.empty()) become_program(command->become);
        };
    });
}

}  // namespace ov::cli
