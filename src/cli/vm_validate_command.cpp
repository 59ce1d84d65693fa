#include "cli/vm_validate_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <set>

#include "cli/host_command.hpp"
#include "cli/vm_entity_ref.hpp"
#include "lifecycle/deploy_target.hpp"
#include "ov/load.hpp"
#include "ov/render.hpp"
#include "ov/vm_validate.hpp"

namespace ov::cli {

namespace {

struct ValidateCommand {
    std::vector<std::string> names;
    std::string facts, connect, backend;
};

/// Entities to look at: those that were named, each once, or all.
std::vector<VmIdentity> machines_of(const ValidateCommand& command, const Project& project) {
    std::vector<VmIdentity> machines;
    for (const std::string& name : command.names) {
        const VmIdentity machine = named_vm(name);
        find_vm_spec(project, machine.entity);
        if (std::find(machines.begin(), machines.end(), machine) == machines.end()) machines.push_back(machine);
    }
    if (command.names.empty())
        for (const auto& [name, entity] : project.vms) machines.push_back({name, {}});
    return machines;
}

bool concerns(const Diagnostic& finding, const std::vector<VmIdentity>& machines, bool all) {
    if (!finding.path.starts_with("vm.")) return all || finding.severity == Severity::error;
    return all || std::any_of(machines.begin(), machines.end(), [&](const VmIdentity& machine) {
               const std::string prefix = "vm." + machine.entity;
               return finding.path == prefix || finding.path.starts_with(prefix + ".");
           });
}

/// Loading warns about unknown keys, so that a newer project still loads; here they are what somebody came to find (W2).
void promote_unknown_keys(std::vector<Diagnostic>& findings) {
    for (Diagnostic& finding : findings)
        if (finding.path.starts_with("vm.") && finding.message.starts_with("unknown key, ignored")) {
            finding.severity = Severity::error;
            finding.message.replace(0, std::string_view("unknown key, ignored").size(), "unknown key");
        }
}

/// Loading and validation both know the rule about `source.kind`: one finding is enough.
void drop_repeated(std::vector<Diagnostic>& findings) {
    std::set<std::pair<SourcePosition, std::string>> kinds;
    std::set<std::string> texts;
    std::erase_if(findings, [&](const Diagnostic& finding) {
        if (finding.path.ends_with(".source.kind") && !kinds.emplace(finding.where, finding.path).second) return true;
        return !texts.insert(finding.str()).second;
    });
}

std::vector<Diagnostic> findings_of(const VmIdentity& machine, const Project& project, const HostFacts& facts,
                                    const ValidateOptions& options) {
    const VmEntity& entity = project.vms.at(machine.entity);
    if (!entity.spec) return {};
    const OperatorPaths paths = operator_paths();
    std::vector<Diagnostic> findings;
    VmSpec spec = *entity.spec;
    if (const auto instance = load_instance_override(paths.vm_state(machine) + "/instance.yml", findings))
        spec = apply_override(spec, *instance);
    const VmPlaces places{project.directory, paths.home + "/.local/share/ov/vm", machine.instance};
    for (std::vector<Diagnostic> more :
         {validate(spec, facts, options), check_markup(spec, default_runtime(spec, facts, places))})
        findings.insert(findings.end(), more.begin(), more.end());
    return findings;
}

void run_validate(const ValidateCommand& command, AppContext& to) {
    std::vector<Diagnostic> findings;
    const Project project = inspect_project({to.directory, operator_paths().deploy_file()}, findings);
    const std::vector<VmIdentity> machines = machines_of(command, project);
    // External machines ask nothing of a host.
    const bool on_host = std::any_of(machines.begin(), machines.end(),
                                     [&](const VmIdentity& machine) { return project.vms.at(machine.entity).spec != nullptr; });
    const HostFacts facts = on_host ? host_facts(command.facts, command.connect, to) : HostFacts();
    ValidateOptions options;
    if (!command.backend.empty()) options.backend = command.backend == "qemu" ? Backend::qemu : Backend::libvirt;
    const std::vector<Diagnostic> names = validate_vm_names(project);
    findings.insert(findings.end(), names.begin(), names.end());
    if (command.names.empty()) {
        const std::vector<Diagnostic> lost = validate_deploy_references(project);
        findings.insert(findings.end(), lost.begin(), lost.end());
    }
    std::erase_if(findings, [&](const Diagnostic& d) { return !concerns(d, machines, command.names.empty()); });
    for (const VmIdentity& machine : machines) {
        const std::vector<Diagnostic> more = findings_of(machine, project, facts, options);
        findings.insert(findings.end(), more.begin(), more.end());
    }
    sort_by_position(findings);
    promote_unknown_keys(findings);
    drop_repeated(findings);
    for (const Diagnostic& finding : findings) to.out << finding.str() << '\n';
    const auto errors =
        std::count_if(findings.begin(), findings.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
    if (errors == 0) return;
    to.err << fmt::format("ov: error: {} finding{}\n", errors, errors == 1 ? "" : "s");
    to.exit_status = 1;
}

}  // namespace

void add_vm_validate(CLI::App& vm, AppContext& context) {
    auto command = std::make_shared<ValidateCommand>();
    CLI::App* verb = vm.add_subcommand("validate", "Check VM entities against the schema and against a host");
    verb->add_option("vm", command->names, "VMs: entity, or entity/instance (default: every entity)");
    verb->add_option("--facts", command->facts, "Facts of a host as YAML (default: this host)");
    verb->add_option("--connect", command->connect, "libvirt URI to ask for facts");
    verb->add_option("--backend", command->backend, "Backend to check for (default: the entity's own)")
        ->check(CLI::IsMember({"libvirt", "qemu"}));
    verb->footer(
        "Examples:\n"
        "  ov vm validate                            every entity against the schema and this host; exit 1 if one is wrong\n"
        "  ov vm validate web --backend qemu         what QEMU without libvirt could not do\n"
        "  ov vm validate --facts other-host.yml     against another host (`ov host facts` there)");
    verb->callback([command, &context] { context.action = [command, &context] { run_validate(*command, context); }; });
}

}  // namespace ov::cli
