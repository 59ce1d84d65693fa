#include "cli/deploy_command.hpp"

#include <memory>

#include "cli/check_command.hpp"
#include "cli/deploy_file_command.hpp"
#include "cli/deploy_status_command.hpp"
#include "cli/fleet_instances_command.hpp"
#include "cli/fleet_run.hpp"
#include "cli/image_command.hpp"

namespace ov::cli {

namespace {

/// The name and `-i` as one key (`cli-and-config.md` 6.1).
void set_name(FleetFlags& flags, const std::string& name, const std::string& instance) {
    flags.request.names = {instance.empty() ? name : name + "/" + instance};
    flags.request.jobs = 1;
    flags.display.single = true;
}

void add_deploy_add(CLI::App& deploy, AppContext& app) {
    auto flags = std::make_shared<FleetFlags>();
    auto name = std::make_shared<std::string>(), instance = std::make_shared<std::string>();
    CLI::App* command = deploy.add_subcommand("add", "Apply a deploy's layers to its machine");
    command->add_option("name", *name, "Deploy, or vm:<entity>[/<instance>]")->required();
    command->add_option("ref", flags->request.primary_ref, "Layer or image that comes before the added layers");
    command->add_option("-i,--instance", *instance, "Instance");
    add_apply_flags(*command, *flags);
    add_display_flags(*command, *flags);
    command->footer(
        "Examples:\n  ov deploy add web --yes\n  ov deploy add vm:lab --add-layer ripgrep,tmux --dry-run\n"
        "  ov deploy add web --with-services --log-dir logs");
    command->callback([=, &app] {
        app.action = [=, &app] {
            set_name(*flags, *name, *instance);
            flags->request.verb = FleetVerb::add;
            flags->request.command = "deploy add";
            run_fleet(*flags, app);
        };
    });
}

void add_deploy_del(CLI::App& deploy, AppContext& app) {
    auto flags = std::make_shared<FleetFlags>();
    auto name = std::make_shared<std::string>(), instance = std::make_shared<std::string>();
    CLI::App* command = deploy.add_subcommand("del", "Undo a deploy, from the ledger on the machine");
    command->add_option("name", *name, "Deploy, or vm:<entity>[/<instance>] for everything on that machine")->required();
    command->add_option("-i,--instance", *instance, "Instance");
    add_undo_flags(*command, *flags);
    add_display_flags(*command, *flags);
    command->footer(
        "Examples:\n  ov deploy del web --yes\n  ov deploy del web --dry-run\n  ov deploy del vm:lab --keep-services");
    command->callback([=, &app] {
        app.action = [=, &app] {
            set_name(*flags, *name, *instance);
            flags->request.verb = FleetVerb::del;
            flags->request.command = "deploy del";
            run_fleet(*flags, app);
        };
    });
}

}  // namespace

void add_deploy_commands(CLI::App& app, AppContext& context) {
    CLI::App* deploy = app.add_subcommand("deploy", "What belongs on a machine: apply it, take it back");
    deploy->require_subcommand(1);
    add_deploy_add(*deploy, context);
    add_deploy_del(*deploy, context);
    add_deploy_status(*deploy, context);
    add_deploy_from_image(*deploy, context);
    add_deploy_file_commands(*deploy, context);
    deploy->footer(
        "Examples:\n  ov deploy add web --dry-run\n  ov deploy add web --yes\n  ov deploy del web\n  ov deploy status");
}

void add_fleet_commands(CLI::App& app, AppContext& context) {
    CLI::App* fleet = app.add_subcommand("fleet", "The deploy verbs on many machines at once");
    fleet->require_subcommand(1);
    add_fleet_instances(*fleet, context);
    struct Verb {
        const char *name, *help, *examples;
        FleetVerb verb;
    };
    const Verb verbs[] = {
        {"add", "Apply the layers of the selected deploys",
         "Examples:\n  ov fleet add --all --jobs 50 --yes\n  ov fleet add 'web-*' tag=eval --max-fail 10% --log-dir logs\n"
         "  ov fleet add --retry-failed logs/report.json",
         FleetVerb::add},
        {"del", "Undo the selected deploys", "Examples:\n  ov fleet del --all --yes\n  ov fleet del tag=eval --keep-services",
         FleetVerb::del},
        {"update", "Apply the layers of the selected deploys again; disposable VMs are made anew",
         "Examples:\n  ov fleet update --all --yes\n  ov fleet update tag=eval --jobs 4", FleetVerb::update},
        {"test", "Run the checks of the selected deploys",
         "Examples:\n  ov fleet test --all\n  ov fleet test tag=eval --format junit > checks.xml", FleetVerb::test},
        {"status", "Ask the machines what is deployed on them",
         "Examples:\n  ov fleet status --all\n  ov fleet status 'web-*' --output json", FleetVerb::status},
    };
    for (const Verb& verb : verbs) {
        auto flags = std::make_shared<FleetFlags>();
        CLI::App* command = fleet->add_subcommand(verb.name, verb.help);
        add_fleet_flags(*command, *flags);
        if (verb.verb == FleetVerb::add || verb.verb == FleetVerb::update) add_apply_flags(*command, *flags);
        if (verb.verb == FleetVerb::test) add_check_flags(*command, *flags);
        if (verb.verb == FleetVerb::del) add_undo_flags(*command, *flags);
        command->footer(verb.examples);
        const std::string name = std::string("fleet ") + verb.name;
        command->callback([flags, name, kind = verb.verb, &context] {
            context.action = [flags, name, kind, &context] {
                flags->request.verb = kind;
                flags->request.command = name;
                run_fleet(*flags, context);
            };
        });
    }
    add_fleet_cp_image(*fleet, context);
    fleet->footer(
        "Examples:\n  ov fleet up web --count 4 --yes\n  ov fleet add --all --jobs 50 --yes\n  ov fleet status 'web-*'\n"
        "  ov fleet del tag=eval");
}

}  // namespace ov::cli
