#include <fmt/format.h>

#include <charconv>

#include "cli/fleet_run.hpp"

namespace ov::cli {

void add_apply_flags(CLI::App& command, FleetFlags& flags) {
    FleetRequest& request = flags.request;
    add_list(command, "--add-layer", request.add_layers, "Layers to apply instead of the deploy's own list")->type_name("LAYER");
    add_tristate(command, "--with-services", request.gates.with_services, "Enable and start services that layers declare");
    add_tristate(command, "--allow-repo-changes", request.gates.allow_repo_changes, "Let layers add package repositories");
    add_tristate(command, "--allow-root-tasks", request.gates.allow_root_tasks,
                 "Let layers run root commands on shared machines");
    command.add_flag("--node-only", request.node_only, "Leave out the pods that are nested in the machine");
    add_tristate(command, "--skip-incompatible", request.skip_incompatible,
                 "Leave out layers that have nothing for the machine's system");
    command.add_flag("--skip-unchanged", request.skip_unchanged, "Leave out layers whose recorded plan is the same");
    add_tristate(command, "--verify", request.verify, "Run the deploy's checks afterwards; exit status 2 when only they fail");
    command
        .add_option("--reboot-timeout", flags.reboot_timeout,
                    "How long a machine may take to be back after a reboot (default 7m)")
        ->type_name("DURATION");
    command
        .add_option("--step-timeout", flags.step_timeout,
                    "Limit for each step (default: 5m, commands and builds 30m, downloads 15m)")
        ->type_name("DURATION");
    command.add_option("--builder-image", request.builder_image, "Container image for source builds");
    command.add_option("--format", flags.display.format, "Form of a dry run")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
}

void add_undo_flags(CLI::App& command, FleetFlags& flags) {
    command.add_flag("--keep-services", flags.request.keep_services, "Do not stop or disable services");
    command.add_flag("--keep-repo-changes", flags.request.keep_repo_changes, "Keep package repositories");
    command.add_flag("--purge", flags.request.purge, "Also forget what is known about the machine");
}

void add_display_flags(CLI::App& command, FleetFlags& flags) {
    command.add_flag("--dry-run", flags.request.dry_run, "Print what would be done, change nothing");
    command.add_flag("-y,--yes,--assume-yes,--force", flags.assume_yes, "No questions; opens all gates");
    command.add_option("--timeout", flags.timeout, "Limit for all the work on one machine")->type_name("DURATION");
    command.add_option("--ssh-timeout", flags.ssh_timeout, "How long to wait for a machine to let us in (default 2m)")
        ->type_name("DURATION");
    command.add_option("--output", flags.display.output, "What to print on standard output")
        ->check(CLI::IsMember({"table", "json", "jsonl"}))
        ->capture_default_str();
    command.add_option("--progress", flags.display.progress, "What to show meanwhile on standard error")
        ->check(CLI::IsMember({"auto", "tty", "plain", "none"}))
        ->capture_default_str();
    command.add_option("--log-dir", flags.display.log_dir, "One log file per machine and report.json go there")->type_name("DIR");
}

void add_fleet_flags(CLI::App& command, FleetFlags& flags) {
    FleetRequest& request = flags.request;
    command.add_option("selector", request.selectors, "Machines: deploy key, glob, vm:<entity> or tag=<tag>");
    command.add_flag("--all", request.all, "All machines");
    add_list(command, "--limit", request.limit, "Only those that this selector names too")->type_name("SELECTOR");
    command.add_option("--jobs", request.jobs, "Machines at work at once; waiting ones take no place")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command.add_option("--batch", flags.batch, "Finish N machines before the next N start")->type_name("N|N%");
    command.add_option("--max-fail", flags.max_fail, "Start no more once more than N have failed")->type_name("N|N%");
    command.add_flag("--fail-fast", request.fail_fast, "The first failure cancels the others");
    command.add_option("--retry-failed", flags.retry_failed, "Also those that were not ok in this report.json")
        ->type_name("REPORT");
    add_display_flags(command, flags);
}

std::chrono::seconds parse_duration(const std::string& text, const std::string& option) {
    std::chrono::seconds total{0};
    const char* at = text.data();
    const char* end = at + text.size();
    bool any = false;
    while (at != end) {
        long value = 0;
        const auto [after, error] = std::from_chars(at, end, value);
        if (error != std::errc{} || value < 0) break;
        const char unit = after == end ? 's' : *after;
        if (unit == 'h')
            total += std::chrono::hours(value);
        else if (unit == 'm')
            total += std::chrono::minutes(value);
        else if (unit == 's')
            total += std::chrono::seconds(value);
        else
            break;
        at = after == end ? end : after + 1;
        any = true;
    }
    if (!any || at != end || total.count() == 0)
        throw Error(Errc::usage, fmt::format("{}: expected a duration such as 90s, 5m or 1h30m, got '{}'", option, text));
    return total;
}

}  // namespace ov::cli
