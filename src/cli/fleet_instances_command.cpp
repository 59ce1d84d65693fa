#include "cli/fleet_instances_command.hpp"

#include <memory>

#include "cli/fleet_run.hpp"

namespace ov::cli {

namespace {

void add_jobs(CLI::App& command, FleetFlags& flags) {
    command.add_option("--jobs", flags.request.jobs, "Machines at work at once; booting ones take no place")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command.add_option("--max-fail", flags.max_fail, "Start no more once more than N have failed")->type_name("N|N%");
    command.add_flag("--fail-fast", flags.request.fail_fast, "The first failure cancels the others");
}

void add_up(CLI::App& fleet, AppContext& app) {
    auto flags = std::make_shared<FleetFlags>();
    flags->request.verb = FleetVerb::up;
    flags->request.command = "fleet up";
    flags->request.count = 1;
    CLI::App* command = fleet.add_subcommand("up", "Build, create, boot and deploy instances of one entity");
    command->add_option("entity", flags->request.entity, "VM entity")->required();
    command->add_option("--count", flags->request.count, "Instances: vm:<entity>/1 to N")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command
        ->add_option("--from", flags->request.from_key,
                     "The deploy that the instances follow, if there are several of the entity")
        ->type_name("KEY");
    command->add_flag("--no-start", flags->request.no_start, "Define the machines, do not boot them");
    command->add_option("--batch", flags->batch, "Finish N machines before the next N start")->type_name("N|N%");
    add_jobs(*command, *flags);
    add_apply_flags(*command, *flags);
    add_display_flags(*command, *flags);
    command->footer(
        "Examples:\n  ov fleet up web --count 4 --jobs 4 --yes\n  ov fleet up web --count 2 --from lab --log-dir logs");
    command->callback([flags, &app] { app.action = [flags, &app] { run_fleet(*flags, app); }; });
}

void add_down(CLI::App& fleet, AppContext& app) {
    auto flags = std::make_shared<FleetFlags>();
    flags->request.verb = FleetVerb::down;
    flags->request.command = "fleet down";
    CLI::App* command = fleet.add_subcommand("down", "Destroy instances of one entity with their disks");
    command->add_option("entity", flags->request.entity, "VM entity")->required();
    command->add_option("--count", flags->request.count, "Instances 1 to N (default: all that this host knows)")
        ->check(CLI::Range(1, 100000));
    add_jobs(*command, *flags);
    add_display_flags(*command, *flags);
    command->footer("Examples:\n  ov fleet down web --yes\n  ov fleet down web --count 2");
    command->callback([flags, &app] { app.action = [flags, &app] { run_fleet(*flags, app); }; });
}

}  // namespace

void add_fleet_instances(CLI::App& fleet, AppContext& app) {
    add_up(fleet, app);
    add_down(fleet, app);
}

}  // namespace ov::cli
