#include "cli/vm_build_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "cli/vm_verbs.hpp"
#include "lifecycle/vm_build.hpp"

namespace ov::cli {

namespace {

struct BuildCommand {
    std::string name, instance, tag;
    BuildOptions options;
};

/// `web:tag`: a colon that is neither the first character nor part of the `vm:` prefix.
std::string without_tag(const std::string& name) {
    const std::size_t prefix = name.starts_with("vm:") ? 3 : 0;
    const std::size_t colon = name.rfind(':');
    return colon == std::string::npos || colon <= prefix ? name : name.substr(0, colon);
}

asio::awaitable<void> build(VmContext& context, std::shared_ptr<BuildCommand> command, AppContext& app, Deadline deadline) {
    const VmIdentity machine = machine_of(without_tag(command->name), command->instance);
    const BuildResult result = co_await build_vm(context, machine, command->options, deadline);
    app.out << fmt::format("disk: {}{}\n", result.disk, result.kept ? " (kept)" : "");
    if (!result.base_digest.empty()) app.out << fmt::format("base: sha256:{}\n", result.base_digest);
    if (!result.seed.empty()) app.out << fmt::format("seed: {}\n", result.seed);
    if (!result.instance_id.empty()) app.out << fmt::format("instance-id: {}\n", result.instance_id);
}

}  // namespace

void add_vm_build(CLI::App& vm, AppContext& context) {
    auto command = std::make_shared<BuildCommand>();
    CLI::App* verb = vm.add_subcommand("build", "Make a VM's disk and seed from its source");
    verb->add_option("vm", command->name, "VM: entity, or entity/instance")->required();
    verb->add_option("-i,--instance", command->instance, "Instance");
    verb->add_option("--type", command->options.type, "Format of the disk: qcow2 or raw")->capture_default_str();
    verb->add_option("--size", command->options.given.disk_size, "Virtual size of the disk (default: disk_size of the entity)");
    verb->add_option("--root-size", command->options.given.root_size, "Size of the root file system (bootc)");
    verb->add_option("--transport", command->options.transport, "Where a bootc image is")
        ->check(CLI::IsMember({"registry", "containers-storage", "oci", "oci-archive"}));
    verb->add_flag("--console", command->options.console, "Show what the build prints");
    verb->add_flag("--discard", command->options.discard, "Make the disk afresh; all data of the guest is lost");
    verb->footer("Examples:\n  ov vm build web\n  ov vm build web -i 2 --size 20G\n  ov vm build web --discard");
    verb->callback([command, &context] {
        context.action = [command, &context] {
            run_vm_work(context, [command, &context](VmContext& vms, Deadline deadline) {
                return build(vms, command, context, deadline);
            });
        };
    });
}

}  // namespace ov::cli
