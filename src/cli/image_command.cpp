#include "cli/image_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/become_program.hpp"
#include "deploy/guest_program.hpp"
#include "fleet/text_table.hpp"
#include "lifecycle/deploy_target.hpp"
#include "state/settings.hpp"

namespace ov::cli {

namespace {

void add_image_flags(CLI::App& command, FleetFlags& flags) {
    command.add_option("--as", flags.request.image.as, "Further name that the image gets in the machine")->type_name("REF");
    command.add_flag("--rootless", flags.request.image.rootless, "The login user's storage (user quadlets) instead of root's");
    command.add_flag_function(
        "--no-compress", [&flags](std::int64_t count) { flags.request.image.compress = count <= 0; }, "Send without zstd");
}

std::string size_of(double bytes) {
    const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < std::size(units)) {
        bytes /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string transfer_of(const nlohmann::json& result) {
    if (!result["sent"].get<bool>()) return result["tagged"].get<bool>() ? "was there, name set" : "was there";
    const double wire = result["wire_bytes"].get<double>(), archive = result["archive_bytes"].get<double>();
    return fmt::format("{} of {}, {} of {} layers", size_of(wire), size_of(archive), result["layers_sent"].get<int>(),
                       result["layers"].get<int>());
}

nlohmann::json result_of(const Engine& engine, std::size_t i) {
    const std::string& text = engine.findings()[i].text;
    return text.empty() ? nlohmann::json::object() : nlohmann::json::parse(text);
}

void print_json(const Engine& engine, const Report& report, AppContext& app) {
    nlohmann::json all = nlohmann::json::array();
    for (std::size_t i = 0; i < report.vms.size(); ++i) {
        nlohmann::json result = result_of(engine, i);
        result["vm"] = report.vms[i].vm;
        result["outcome"] = to_string(report.vms[i].outcome);
        result["reason"] = report.vms[i].reason;
        all.push_back(std::move(result));
    }
    const nlohmann::json json{{"schema", 1}, {"command", report.command}, {"exit_code", report.exit_code}, {"machines", all}};
    app.out << json.dump(2) << '\n';
}

}  // namespace

void print_transfers(const Engine& engine, const Report& report, const FleetFlags& flags, AppContext& app) {
    if (flags.display.output == "json") {
        print_json(engine, report, app);
        return;
    }
    if (flags.display.output != "table") return;
    TextTable table({"KEY", "OUTCOME", "SENT", "TIME", "REASON"});
    for (std::size_t i = 0; i < report.vms.size(); ++i) {
        const VmReport& vm = report.vms[i];
        const nlohmann::json result = result_of(engine, i);
        const std::string sent = result.empty() || flags.request.dry_run ? "-" : transfer_of(result);
        table.add({vm.vm, std::string(to_string(vm.outcome)), sent, fmt::format("{:.1f} s", vm.seconds), vm.reason});
    }
    app.out << table.str();
}

void add_vm_cp_image(CLI::App& vm, AppContext& context) {
    auto flags = std::make_shared<FleetFlags>();
    auto name = std::make_shared<std::string>(), instance = std::make_shared<std::string>();
    CLI::App* command = vm.add_subcommand("cp-image", "Send a container image of this host into a running VM");
    command->add_option("vm", *name, "VM entity")->required();
    command->add_option("image", flags->request.image_ref, "Reference or short name in this host's podman storage")->required();
    command->add_option("-i,--instance", *instance, "Instance");
    add_image_flags(*command, *flags);
    auto json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "Print the result as JSON");
    add_display_flags(*command, *flags);
    command->footer(
        "Examples:\n"
        "  ov vm cp-image web notes                                  only the layers that the VM lacks travel\n"
        "  ov vm cp-image web notes --as localhost/ov-notes:latest --rootless\n"
        "  ov vm cp-image web notes --dry-run                        what would travel");
    command->callback([=, &context] {
        context.action = [=, &context] {
            const std::string entity = name->starts_with("vm:") ? *name : "vm:" + *name;
            flags->request.names = {instance->empty() ? entity : entity + "/" + *instance};
            flags->request.jobs = 1;
            flags->request.verb = FleetVerb::cp_image;
            flags->request.command = "vm cp-image";
            if (*json) flags->display.output = "json";
            run_fleet(*flags, context);
        };
    });
}

void add_deploy_from_image(CLI::App& deploy, AppContext& context) {
    struct FromImage {
        std::string ref, name, instance, bind;
        std::vector<std::string> env, ports;
        bool dry_run = false;
    };
    auto given = std::make_shared<FromImage>();
    CLI::App* command = deploy.add_subcommand("from-image", "Start a pod on this machine from the labels of an image");
    command->add_option("image", given->ref, "Reference in this machine's podman storage")->required();
    command->add_option("name", given->name, "NAME or NAME/INSTANCE (default: the last part of the reference)");
    command->add_option("-i,--instance", given->instance, "Instance");
    command->add_option("-e,--env", given->env, "Variable of the container")->type_name("KEY=VALUE")->allow_extra_args(false);
    command->add_option("-p,--port", given->ports, "Another port of this machine for a port of the container")
        ->type_name("HOST:CONTAINER")
        ->allow_extra_args(false);
    command->add_option("--bind", given->bind, "Address of ports that name none (default: setting bind_address)");
    command->add_flag("--dry-run", given->dry_run, "Print the unit, change nothing");
    command->footer(
        "The pod is a unit of your service manager and comes back after a reboot.\n"
        "Examples:\n"
        "  ov deploy from-image localhost/ov-notes:latest notes -p 8080:80\n"
        "  ov deploy from-image localhost/ov-notes:latest notes --dry-run");
    command->callback([given, &context] {
        context.action = [given] {
            std::vector<std::string> words{guest_program_path(), "deploy", "from-image", given->ref};
            const auto add = [&words](const char* flag, const std::string& value) {
                if (!value.empty()) words.insert(words.end(), {flag, value});
            };
            if (!given->name.empty()) words.push_back(given->name);
            add("-i", given->instance);
            if (given->bind.empty()) given->bind = state::Settings::load(operator_paths().settings_file()).given("bind_address");
            add("--bind", given->bind);
            for (const std::string& one : given->env) add("-e", one);
            for (const std::string& one : given->ports) add("-p", one);
            if (given->dry_run) words.emplace_back("--dry-run");
            become_program(std::move(words));
        };
    });
}

void add_fleet_cp_image(CLI::App& fleet, AppContext& context) {
    auto flags = std::make_shared<FleetFlags>();
    CLI::App* command = fleet.add_subcommand("cp-image", "Send a container image of this host into the selected machines");
    command->add_option("image", flags->request.image_ref, "Reference or short name in this host's podman storage")->required();
    add_image_flags(*command, *flags);
    add_fleet_flags(*command, *flags);
    command->footer(
        "One export of the image feeds all machines; each gets the layers that it lacks.\n"
        "Examples:\n"
        "  ov fleet cp-image notes --all --rootless\n"
        "  ov fleet cp-image ghcr.io/acme/notes:2026.100.900 'web-*' --jobs 8 --output json");
    command->callback([=, &context] {
        context.action = [=, &context] {
            flags->request.verb = FleetVerb::cp_image;
            flags->request.command = "fleet cp-image";
            run_fleet(*flags, context);
        };
    });
}

}  // namespace ov::cli
