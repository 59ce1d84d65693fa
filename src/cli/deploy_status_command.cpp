#include "cli/deploy_status_command.hpp"

#include <fmt/format.h>

#include <ostream>

#include "cli/remote_project.hpp"
#include "fleet/text_table.hpp"

namespace ov::cli {

namespace {

/// What this host has written down about the machine; no machine and no hypervisor is asked (decisions 35).
std::string state_of(const Project& project, const std::string& key, const DeployNode& node) {
    if (node.target == "local") return node.host.empty() ? "this host" : "over ssh";
    const VmIdentity machine = vm_identity(key, node);
    const auto entity = project.vms.find(machine.entity);
    if (entity == project.vms.end()) return "no such entity";
    if (entity->second.external()) return "external";
    const VmState* state = find_vm_state(project.deploys, machine, key);
    if (state == nullptr) return "not built";
    return state->backend.empty() ? "built" : fmt::format("created ({})", state->backend);
}

std::string source_of(const Project& project, const std::string& key, const DeployNode& node) {
    const auto entity = project.vms.find(vm_identity(key, node).entity);
    if (entity == project.vms.end()) return {};
    if (entity->second.external()) return entity->second.ssh.host;
    if (!entity->second.spec) return entity->second.source_kind;
    const vm::Source& source = entity->second.spec->source;
    for (const std::string* text : {&source.url, &source.image, &source.from_vm, &source.libvirt_name})
        if (!text->empty()) return fmt::format("{} {}", source.kind, *text);
    return source.kind;
}

void run(AppContext& app) {
    const Remote remote;
    const LoadOptions options{app.directory, operator_paths().deploy_file()};
    const Project project = load_project(options, remote.access);
    tell_warnings(project, app);
    TextTable table({"KEY", "ENTITY", "TARGET", "STATE", "SOURCE"});
    for (const auto& [key, node] : project.deploys) {
        const bool vm = node.target == "vm" || !node.vm.empty();
        table.add({key, vm ? vm_identity(key, node).entity : "", vm ? "vm" : node.target,
                   vm || node.target == "local" ? state_of(project, key, node) : "", vm ? source_of(project, key, node) : ""});
    }
    if (project.deploys.empty())
        app.err << "No deploys found\n";
    else
        app.out << table.str();
}

}  // namespace

void add_deploy_status(CLI::App& deploy, AppContext& app) {
    CLI::App* command = deploy.add_subcommand("status", "List the deploys and what this host knows of their machines");
    command->footer(
        "`ov fleet status --all` asks the machines themselves.\n"
        "Examples:\n  ov deploy status\n  ov -C lab deploy status");
    command->callback([&app] { app.action = [&app] { run(app); }; });
}

}  // namespace ov::cli
