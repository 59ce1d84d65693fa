#include "cli/vm_render_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>

#include "cli/host_command.hpp"
#include "cli/remote_project.hpp"
#include "cli/vm_entity_ref.hpp"
#include "lifecycle/deploy_target.hpp"
#include "model/yaml_writer.hpp"
#include "ov/load.hpp"
#include "ov/render.hpp"
#include "ov/vm_validate.hpp"

namespace ov::cli {

namespace {

struct RenderOptions {
    std::string name, format = "libvirt", runtime, facts;
};

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    if (!file) throw Error(Errc::io, fmt::format("cannot read {}", path));
    return text;
}

/// Warnings and notes go to stderr; errors end the verb.
void settle(std::vector<Diagnostic> findings, AppContext& to) {
    const auto is_error = [](const Diagnostic& d) { return d.severity == Severity::error; };
    for (const Diagnostic& finding : findings)
        if (!is_error(finding)) to.err << finding.str() << '\n';
    std::erase_if(findings, [&](const Diagnostic& d) { return !is_error(d); });
    if (!findings.empty()) throw SpecError(std::move(findings));
}

/// What create would use; with a file, its values in place of everything that create would make (disk, firmware variables,
/// sockets). A runtime value beats a fact.
VmRuntime runtime_from(const RenderOptions& options, const VmSpec& spec, const HostFacts& facts, const VmIdentity& machine,
                       AppContext& to) {
    const VmPlaces places{absolute_directory(to.directory), operator_paths().home + "/.local/share/ov/vm", machine.instance};
    VmRuntime runtime = default_runtime(spec, facts, places);
    if (runtime.hostname.empty())
        runtime.hostname = machine.instance.empty() ? machine.entity : machine.entity + "-" + machine.instance;
    if (options.runtime.empty()) {
        to.err << "ov: note: no --runtime: names and paths as `ov vm create` would use them; no key was read\n";
        return runtime;
    }
    VmRuntime base = runtime;
    base.disk = base.nvram = base.ovmf_code = base.ovmf_vars_template = base.ovmf_format = {};
    base.qemu_paths = {};
    std::vector<Diagnostic> findings;
    VmRuntime given = parse_vm_runtime(read_file(options.runtime), options.runtime, base, findings);
    settle(std::move(findings), to);
    if (given.ovmf_code.empty()) {
        given.ovmf_code = runtime.ovmf_code;
        given.ovmf_vars_template = runtime.ovmf_vars_template;
        given.ovmf_format = runtime.ovmf_format;
    }
    return given;
}

/// Nothing that is printed holds a secret.
void redact(VmSpec& spec, VmRuntime& runtime) {
    constexpr const char* redacted = "<redacted>";
    for (vm::Graphics& display : spec.libvirt.devices.graphics)
        if (!display.passwd.empty()) display.passwd = redacted;
    if (!runtime.host_key_private.empty()) runtime.host_key_private = redacted;
}

void print_seed(const CloudInitFiles& files, std::ostream& out) {
    std::vector<std::pair<std::string, YamlPtr>> entries{{"user-data", yaml_text(files.user_data)},
                                                         {"meta-data", yaml_text(files.meta_data)}};
    if (!files.network_config.empty()) entries.emplace_back("network-config", yaml_text(files.network_config));
    out << write_yaml(*yaml_map(std::move(entries)));
}

void check(const RenderOptions& options, const VmSpec& spec, const HostFacts& facts, const VmRuntime& runtime, AppContext& to) {
    ValidateOptions rules;
    rules.backend = options.format == "qemu" ? Backend::qemu : Backend::libvirt;
    rules.host_rules = options.format != "cloud-init";
    std::vector<Diagnostic> findings = validate(spec, facts, rules);
    if (options.format == "libvirt") {
        for (std::vector<Diagnostic> more : {check_markup(spec, runtime), render_notes(spec, facts, runtime)})
            findings.insert(findings.end(), more.begin(), more.end());
    }
    settle(std::move(findings), to);
}

void run_render(const RenderOptions& options, AppContext& to) {
    const Remote remote;
    const Project project = load(to.directory, remote);
    tell_warnings(project, to);
    const VmIdentity machine = named_vm(options.name);
    VmSpec spec = find_vm_spec(project, machine.entity);
    const HostFacts facts = host_facts(options.facts, "", to);
    VmRuntime runtime = runtime_from(options, spec, facts, machine, to);
    check(options, spec, facts, runtime, to);
    redact(spec, runtime);
    if (options.format == "libvirt")
        to.out << render_domain(spec, facts, runtime);
    else if (options.format == "cloud-init")
        print_seed(render_cloud_init(spec, runtime), to.out);
    else
        for (const std::string& word : render_argv(spec, facts, runtime)) to.out << word << '\n';
}

}  // namespace

void add_vm_render(CLI::App& vm, AppContext& context) {
    auto options = std::make_shared<RenderOptions>();
    CLI::App* command = vm.add_subcommand("render", "Print the domain XML, the QEMU argv or the cloud-init seed of one VM");
    command->add_option("vm", options->name, "VM: entity, or entity/instance")->required();
    command->add_option("--format", options->format, "Output form")
        ->check(CLI::IsMember({"libvirt", "qemu", "cloud-init"}))
        ->capture_default_str();
    command->add_option("--runtime", options->runtime, "Runtime parameters as YAML (default: what `ov vm create` would use)");
    command->add_option("--facts", options->facts, "Facts of a host as YAML (default: this host)");
    command->footer(
        "Examples:\n"
        "  ov vm render web                                 domain XML for the libvirt of this host\n"
        "  ov vm render web/2 --format qemu                 QEMU's arguments for instance 2, one a line\n"
        "  ov vm render web --format cloud-init             user-data, meta-data and network-config of the seed\n"
        "  ov vm render web --facts other-host.yml          as another host would get it (`ov host facts` there)");
    command->callback([options, &context] { context.action = [options, &context] { run_render(*options, context); }; });
}

}  // namespace ov::cli
