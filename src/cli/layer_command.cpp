#include "cli/layer_command.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/remote_project.hpp"
#include "model/layer_ref.hpp"
#include "ov/compile.hpp"
#include "ov/load.hpp"
#include "ov/plan_output.hpp"
#include "ov/validate_layer.hpp"
#include "plan/step_script.hpp"

namespace ov::cli {

namespace {

struct PlanOptions {
    std::vector<std::string> layers;
    std::string distro, user = "user", home, format = "table", architecture;
    unsigned uid = 1000;
    bool no_deps = false, explain = false, refresh = false;
};

void print_findings(std::ostream& out, const std::vector<Diagnostic>& findings) {
    for (const Diagnostic& finding : findings) out << finding.str() << '\n';
}

Distro choose_distro(const PlanOptions& options, std::ostream& err) {
    if (!options.distro.empty()) return distro_from_tag(options.distro);
    std::ifstream file("/etc/os-release");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    Distro distro = distro_from_os_release(text);
    err << "ov: note: planning for " << (distro.tags.empty() ? "an unknown system" : distro.tags.front())
        << ", the system of this machine; --distro names another\n";
    return distro;
}

std::string machine_architecture() {
    utsname names{};
    return uname(&names) == 0 ? names.machine : "x86_64";
}

CompileContext make_context(const PlanOptions& options, const Project& project, std::ostream& err) {
    CompileContext context;
    context.distro = choose_distro(options, err);
    context.user = options.user;
    context.uid = context.gid = options.user == "root" ? 0 : options.uid;
    context.home = options.home;
    context.architecture = options.architecture.empty() ? machine_architecture() : options.architecture;
    apply_definitions(context, project);
    context.builder_images = builder_images(project, context.distro.tags);
    context.deploy_id = deploy_id("", {}, options.layers);
    return context;
}

/// Scripts need real paths: without --home the usual place of a home stands in.
std::string script_home(const PlanOptions& options) {
    if (!options.home.empty()) return options.home;
    return options.user == "root" ? "/root" : "/home/" + options.user;
}

StepContext script_context(const OrderedLayers& layers) {
    StepContext context;
    for (const Layer* layer : layers)
        for (const auto* list : {&layer->secret_require, &layer->secret_accept})
            for (const Dependency& secret : *list) context.secrets[layer->name][secret.name] = "<redacted>";
    return context;
}

std::vector<PrintedScript> scripts_of(const Step& step, const std::string& home, const StepContext& context) {
    InstallPlan alone;
    alone.steps.push_back(step);
    resolve_home(alone, home);
    const GuestStep rendered = render_step(alone.steps.front(), context);
    if (rendered.text.empty()) return {};
    return {{rendered.as == RunAs::root ? "root" : "user", rendered.text}};
}

void explain(std::ostream& out, const Layer& layer) {
    if (layer.ignored_keys.empty()) return;
    std::string keys;
    for (const std::string& key : layer.ignored_keys) keys += (keys.empty() ? "" : ", ") + key;
    out << "  without effect on a machine: " << keys << '\n';
}

void run_plan(const PlanOptions& options, AppContext& to) {
    const Remote remote(options.refresh);
    Project project = load(to.directory, remote);
    std::vector<std::string> requests;
    for (const std::string& ref : options.layers) requests.push_back(resolve_layer_ref(project, ref, "."));
    // Directories were read into the project under their names; remote references stay as authored.
    std::vector<std::string> refs;
    for (std::size_t i = 0; i < requests.size(); ++i)
        refs.push_back(is_remote_ref(options.layers[i]) ? options.layers[i] : requests[i]);
    if (!options.no_deps || std::any_of(refs.begin(), refs.end(), is_remote_ref))
        fetch_remote_layers(project, refs, remote.access);
    print_findings(to.err, project.warnings);
    OrderOptions order;
    order.dependencies = !options.no_deps;
    const OrderedLayers layers = order_layers(requests, project.layers, order);

    CompileContext context = make_context(options, project, to.err);
    for (const Layer* layer : layers) context.add_layers.push_back(layer->key);
    const StepContext rendering = script_context(layers);
    const std::string home = script_home(options);
    const ScriptSource scripts = [&](const InstallPlan&, const Step& step) { return scripts_of(step, home, rendering); };

    nlohmann::json all = nlohmann::json::array();
    for (const Layer* layer : layers) {
        if (lacks_packages_for(*layer, context.distro))
            to.err << "ov: warning: layer " << layer->key << " has no packages for "
                   << (options.distro.empty() ? "this system" : options.distro) << '\n';
        const InstallPlan plan = compile(*layer, context);
        if (options.format == "json") {
            all.push_back(to_json(plan, scripts));
            continue;
        }
        to.out << to_table(plan);
        if (options.explain) explain(to.out, *layer);
        to.out << '\n';
    }
    if (options.format == "json") to.out << (all.empty() ? nlohmann::json(nullptr) : all).dump() << '\n';
}

void run_list(const std::string& format, AppContext& to) {
    const Remote remote;
    const Project project = load(to.directory, remote);
    tell_warnings(project, to);
    if (format == "json") {
        nlohmann::json all = nlohmann::json::array();
        for (const auto& [key, layer] : project.layers)
            all.push_back({{"name", key}, {"version", layer.version}, {"path", layer.dir}});
        to.out << all.dump() << '\n';
        return;
    }
    std::size_t width = 4;
    for (const auto& [key, layer] : project.layers) width = std::max(width, key.size());
    to.out << fmt::format("{:<{}}  {:<14}  PATH\n", "NAME", width, "VERSION");
    for (const auto& [key, layer] : project.layers)
        to.out << fmt::format("{:<{}}  {:<14}  {}\n", key, width, layer.version, layer.dir);
}

void run_validate(const std::vector<std::string>& names, AppContext& to) {
    std::vector<Diagnostic> findings;
    try {
        const Remote remote;
        Project project = load(to.directory, remote);
        std::vector<std::string> keys;
        for (const std::string& ref : names) keys.push_back(resolve_layer_ref(project, ref, "."));
        findings = project.warnings;
        const std::vector<Diagnostic> more = validate_layers(project.layers, keys);
        findings.insert(findings.end(), more.begin(), more.end());
        sort_by_position(findings);
    } catch (const SpecError& e) {
        findings = e.findings();
    }
    print_findings(to.out, findings);
    const auto errors =
        std::count_if(findings.begin(), findings.end(), [](const Diagnostic& d) { return d.severity == Severity::error; });
    if (errors == 0) return;
    to.err << fmt::format("ov: error: {} finding{}\n", errors, errors == 1 ? "" : "s");
    to.exit_status = 1;
}

void add_plan(CLI::App& layer, AppContext& context) {
    auto options = std::make_shared<PlanOptions>();
    CLI::App* command = layer.add_subcommand("plan", "Compile layers without a target and print every step");
    command->add_option("layer", options->layers, "Layers: names, directories or remote references")->required();
    command->add_option("--distro", options->distro, "Distribution, for example debian:13, fedora:43 or arch");
    command->add_option("--user", options->user, "Deploy user")->capture_default_str();
    command->add_option("--uid", options->uid, "Uid and gid of the deploy user")->capture_default_str();
    command->add_option("--home", options->home, "Home of the deploy user (default: shown as {{.Home}})");
    command->add_option("--arch", options->architecture, "Machine architecture as uname -m prints it (default: this machine's)");
    command->add_option("--format", options->format, "Output form")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
    command->add_flag("--no-deps", options->no_deps, "Only the named layers");
    command->add_flag("--refresh", options->refresh, "Look at cached tags and branches of remote layers again");
    command->add_flag("--explain", options->explain, "Also list keys without effect on a machine");
    command->footer(
        "Examples:\n"
        "  ov layer plan web --distro debian:13                    what web and all it requires would do, one line a step\n"
        "  ov layer plan web --distro arch --format json           with the exact script and the undo of every step\n"
        "  ov layer plan ./web --no-deps --user ov --home /home/ov the layer in a directory, alone, with final paths\n"
        "  ov layer plan @github.com/acme/infra/layers/agents:v1.2.0 --distro fedora:43 --refresh");
    command->callback([options, &context] { context.action = [options, &context] { run_plan(*options, context); }; });
}

}  // namespace

void add_layer_commands(CLI::App& app, AppContext& context) {
    CLI::App* layer = app.add_subcommand("layer", "Look at layers: plan, list, validate");
    layer->require_subcommand(1);
    layer->footer(
        "Examples:\n"
        "  ov layer list                             name, version and path of every layer of the project\n"
        "  ov layer validate                         all findings, each with file, line and column; exit 1 if one is an error\n"
        "  ov layer validate web ./other/layer.yml   some layers, by name or path\n"
        "  ov layer plan web --distro debian:13      what would be done on such a machine, and how it is undone");
    add_plan(*layer, context);

    auto format = std::make_shared<std::string>("table");
    CLI::App* list = layer->add_subcommand("list", "List the project's layers");
    list->add_option("--format", *format, "Output form")->check(CLI::IsMember({"table", "json"}))->capture_default_str();
    list->footer("Examples:\n  ov layer list\n  ov layer list --format json");
    list->callback([format, &context] { context.action = [format, &context] { run_list(*format, context); }; });

    auto names = std::make_shared<std::vector<std::string>>();
    CLI::App* validate = layer->add_subcommand("validate", "Check layers and print every finding");
    validate->add_option("layer", *names, "Layers (default: all)");
    validate->footer("Examples:\n  ov layer validate\n  ov layer validate web ./other/layer.yml");
    validate->callback([names, &context] { context.action = [names, &context] { run_validate(*names, context); }; });
}

}  // namespace ov::cli
