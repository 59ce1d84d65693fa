#include "cli/vm_create_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "cli/vm_verbs.hpp"
#include "lifecycle/vm_create.hpp"

namespace ov::cli {

namespace {

struct CreateCommand {
    std::string name, instance;
    CreateOptions options;
};

const char* word_of(CreateResult::Done done) {
    switch (done) {
        case CreateResult::Done::created:
            return "Created";
        case CreateResult::Done::redefined:
            return "Defined anew and started";
        case CreateResult::Done::started:
            return "Started (it was defined already)";
        case CreateResult::Done::nothing:
            break;
    }
    return "Nothing to do for";
}

asio::awaitable<void> create(VmContext& context, std::shared_ptr<CreateCommand> command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_of(command->name, command->instance);
    Hypervisors hypervisors(context);
    const CreateResult result = co_await create_vm(context, hypervisors, machine, command->options, deadline);
    std::string ssh;
    if (result.ssh_port > 0) ssh = fmt::format(", ssh: {}@127.0.0.1:{}", result.user, result.ssh_port);
    app.err << fmt::format("{} {} ({}{})\n", word_of(result.done), result.name,
                           result.backend == Backend::qemu ? "qemu" : "libvirt", ssh);
    co_await hypervisors.close(deadline);
}

}  // namespace

void add_vm_create(CLI::App& vm, AppContext& context) {
    auto command = std::make_shared<CreateCommand>();
    CLI::App* verb = vm.add_subcommand("create", "Define a VM on its built disk and start it");
    verb->add_option("vm", command->name, "VM: entity, or entity/instance")->required();
    verb->add_option("-i,--instance", command->instance, "Instance");
    verb->add_option("--ram", command->options.given.ram, "Memory, as 4G or 512M (default: ram of the entity)");
    verb->add_option("--cpus", command->options.given.cpus, "Virtual CPUs")->check(CLI::Range(1, 4096));
    verb->add_option("--ssh-key", command->options.given.ssh_key, "auto, generate, none, or the path of a public key");
    verb->add_option("--backend", command->options.backend,
                     "Hypervisor (default: as recorded, as the entity or the setting says)")
        ->check(CLI::IsMember({"auto", "libvirt", "qemu"}));
    verb->add_option("--connect", command->options.connect, "libvirt URI");
    verb->footer(
        "What is given here is remembered and repeated by the next create.\n"
        "Examples:\n  ov vm create web\n  ov vm create web -i 2 --ram 8G --cpus 4\n  ov vm create web --backend qemu");
    verb->callback([command, &context] {
        context.action = [command, &context] {
            run_vm_work(context, [command, &context](VmContext& vms, Deadline deadline) {
                return create(vms, command, context, deadline);
            });
        };
    });
}

}  // namespace ov::cli
