#include "cli/check_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <ostream>

namespace ov::cli {

namespace {

CheckFormat check_format(const std::string& name) {
    if (name == "json") return CheckFormat::json;
    if (name == "tap") return CheckFormat::tap;
    if (name == "junit") return CheckFormat::junit;
    return CheckFormat::text;
}

void add_live(CLI::App& parent, const std::string& verb, const std::string& help, AppContext& app) {
    auto flags = std::make_shared<FleetFlags>();
    auto name = std::make_shared<std::string>(), instance = std::make_shared<std::string>();
    CLI::App* command = parent.add_subcommand(verb, help);
    command->add_option("name", *name, "Deploy, VM entity, or . for this host")->required();
    command->add_option("-i,--instance", *instance, "Instance");
    add_check_flags(*command, *flags);
    add_display_flags(*command, *flags);
    command->footer(
        "Examples:\n  ov eval live web\n  ov test web --format junit > checks.xml\n"
        "  ov eval live vm:lab --section deploy --filter http,port\nExit status 2: checks failed.");
    command->callback([=, &app] {
        app.action = [=, &app] {
            flags->request.names = {instance->empty() ? *name : *name + "/" + *instance};
            flags->request.jobs = 1;
            flags->request.verb = FleetVerb::test;
            flags->request.command = "eval live";
            flags->display.single = true;
            if (flags->display.progress == "auto") flags->display.progress = "none";
            run_fleet(*flags, app);
        };
    });
}

}  // namespace

void add_check_flags(CLI::App& command, FleetFlags& flags) {
    command.add_option("--format", flags.display.check_format, "Form of the results")
        ->check(CLI::IsMember({"text", "json", "tap", "junit"}))
        ->capture_default_str();
    command.add_option("--section", flags.request.check_section, "Only checks of layer, image or deploy");
    add_list(command, "--filter", flags.request.check_verbs, "Only checks of these verbs")->type_name("VERB");
}

void add_check_commands(CLI::App& app, AppContext& context) {
    CLI::App* eval = app.add_subcommand("eval", "Checks of what is deployed");
    eval->require_subcommand(1);
    add_live(*eval, "live", "Run the checks of a deploy against its machine", context);
    add_live(app, "test", "Run the checks of a deploy against its machine (eval live)", context);
    eval->footer("Example:\n  ov eval live web");
}

void CheckCollector::on_event(const DeployEvent& event) {
    if (const auto* check = std::get_if<event::CheckFinished>(&event.body)) results_[event.vm].push_back(check->result);
}

std::vector<CheckSuite> CheckCollector::suites(const Report& report) const {
    std::vector<CheckSuite> all;
    for (const VmReport& vm : report.vms) {
        CheckSuite suite{vm.vm, {}, {}};
        if (const auto found = results_.find(vm.vm); found != results_.end()) suite.results = found->second;
        if (vm.outcome != Outcome::ok && vm.error != Errc::checks_failed)
            suite.problem = vm.reason.empty() ? std::string(to_string(vm.outcome)) : vm.reason;
        all.push_back(std::move(suite));
    }
    return all;
}

void print_checks(const CheckCollector& checks, const Report& report, const FleetFlags& flags, AppContext& app) {
    const std::vector<CheckSuite> suites = checks.suites(report);
    const bool single = flags.display.single;
    const CheckFormat format = check_format(flags.display.check_format);
    const bool chosen = !flags.request.check_section.empty() || !flags.request.check_verbs.empty();
    const bool nothing_asked = single && suites.front().results.empty();
    if (nothing_asked && report.exit_code == 0)
        app.err << (chosen ? "No checks to run after filtering.\n" : fmt::format("{} has no checks\n", suites.front().name));
    // What reads a document gets one, empty or not; a machine that could not be asked has none.
    const bool empty_document = report.exit_code == 0 && format != CheckFormat::text;
    if (flags.display.output == "table" && (!nothing_asked || empty_document)) app.out << format_checks(suites, format, single);
    std::size_t failed = 0;
    for (const CheckSuite& suite : suites)
        for (const CheckResult& result : suite.results) failed += result.status == CheckStatus::fail ? 1 : 0;
    for (const CheckSuite& suite : suites)
        if (!suite.problem.empty()) app.err << fmt::format("ov: error: {}: {}\n", suite.name, suite.problem);
    if (failed > 0) app.err << fmt::format("ov: error: {} check{} failed\n", failed, failed == 1 ? "" : "s");
}

}  // namespace ov::cli
