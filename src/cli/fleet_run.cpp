#include "cli/fleet_run.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/ask.hpp"
#include "cli/check_command.hpp"
#include "cli/image_command.hpp"
#include "fleet/events.hpp"
#include "fleet/log_files.hpp"
#include "fleet/progress.hpp"
#include "fleet/report.hpp"
#include "fleet/text_table.hpp"

namespace ov::cli {

namespace {

using namespace std::chrono_literals;

bool applies(FleetVerb verb) {
    return verb == FleetVerb::add || verb == FleetVerb::update || verb == FleetVerb::up;
}

ProgressMode progress_mode(const FleetFlags& flags) {
    const std::string& name = flags.display.progress;
    // JSON has the warnings.
    if (name == "none") return flags.display.output == "table" ? ProgressMode::quiet : ProgressMode::none;
    if (flags.request.dry_run && applies(flags.request.verb)) return ProgressMode::quiet;
    if (name == "plain") return ProgressMode::plain;
    if (name == "tty") return ProgressMode::tty;
    const char* terminal = std::getenv("TERM");
    const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
    return ::isatty(STDERR_FILENO) == 1 && !dumb ? ProgressMode::tty : ProgressMode::plain;
}

Progress::Size terminal_size() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
    return {size.ws_col, size.ws_row};
}

/// Signals and the redraw timer, on the engine's loop; gone when the run is.
class Companion {
public:
    Companion(Engine& engine, Progress& progress, bool redraw)
        : engine_(engine),
          progress_(progress),
          signals_(engine.executor(), SIGINT, SIGTERM),
          redraw_(engine.executor()),
          patience_(engine.executor()) {
        wait_for_signal();
        if (redraw) tick();
    }

    void on_event(const DeployEvent& event) {
        if (!std::holds_alternative<event::RunFinished>(event.body)) return;
        signals_.cancel();
        redraw_.cancel();
        patience_.cancel();
    }
    int signal() const noexcept { return signal_; }

private:
    void wait_for_signal() {
        signals_.async_wait([this](asio::error_code error, int number) {
            if (error) return;
            if (signal_ != 0) leave();  // asked twice
            signal_ = number;
            progress_.clear();
            std::cerr << "ov: cancelling: ending what runs on the machines (again to leave at once)\n";
            engine_.cancel();
            // Machines that do not answer end their steps by themselves when the connection goes.
            patience_.expires_after(1800ms);
            patience_.async_wait([this](asio::error_code cut) {
                if (!cut) leave();
            });
            wait_for_signal();
        });
    }

    [[noreturn]] void leave() const {
        std::cerr << "ov: warning: left before every machine had confirmed\n" << std::flush;
        std::cout << std::flush;
        ::_exit(128 + signal_);
    }

    void tick() {
        redraw_.expires_after(250ms);
        redraw_.async_wait([this](asio::error_code error) {
            if (error) return;
            progress_.refresh();
            tick();
        });
    }

    Engine& engine_;
    Progress& progress_;
    asio::signal_set signals_;
    asio::steady_timer redraw_, patience_;
    int signal_ = 0;
};

void complete(FleetFlags& flags) {
    FleetRequest& request = flags.request;
    if (!flags.batch.empty()) request.batch = parse_share(flags.batch, "--batch");
    if (!flags.max_fail.empty()) request.max_fail = parse_share(flags.max_fail, "--max-fail");
    if (!flags.timeout.empty()) request.timeout = parse_duration(flags.timeout, "--timeout");
    if (!flags.ssh_timeout.empty()) request.ssh_timeout = parse_duration(flags.ssh_timeout, "--ssh-timeout");
    if (!flags.reboot_timeout.empty()) request.reboot_timeout = parse_duration(flags.reboot_timeout, "--reboot-timeout");
    if (!flags.step_timeout.empty()) request.step_timeout = parse_duration(flags.step_timeout, "--step-timeout");
    if (request.batch && request.batch->value == 0) throw Error(Errc::usage, "--batch: at least one machine");
    request.gates.assume_yes = flags.assume_yes;
    if (flags.retry_failed.empty()) return;
    std::ifstream file(flags.retry_failed);
    if (!file) throw Error(Errc::not_found, fmt::format("--retry-failed: cannot read {}", flags.retry_failed));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    try {
        const auto again = not_ok_in(text);
        request.selectors.insert(request.selectors.end(), again.begin(), again.end());
        if (again.empty()) throw Error(Errc::usage, "every machine in it was ok");
    } catch (const Error& error) {
        throw error.within(fmt::format("--retry-failed: {}", flags.retry_failed));
    }
}

/// "web", or "3 machines (web, web/1, …)".
std::string named(const std::vector<std::string>& keys) {
    constexpr std::size_t shown = 5;
    if (keys.size() == 1) return keys.front();
    std::string names;
    for (std::size_t i = 0; i < std::min(keys.size(), shown); ++i) names += (i == 0 ? "" : ", ") + keys[i];
    return fmt::format("{} machines ({}{})", keys.size(), names, keys.size() > shown ? ", …" : "");
}

void confirm(Engine& engine, const FleetFlags& flags) {
    const bool down = flags.request.verb == FleetVerb::down;
    if ((flags.request.verb != FleetVerb::del && !down) || flags.assume_yes || flags.request.dry_run || !at_terminal()) return;
    const std::vector<std::string> keys = engine.selection(flags.request);
    if (keys.empty()) return;
    const std::string question = down ? fmt::format("Destroy {} with {} disk{}?", named(keys), keys.size() == 1 ? "its" : "their",
                                                    keys.size() == 1 ? "" : "s")
                                      : fmt::format("Undo what was deployed to {}?", named(keys));
    if (!person_agrees(question)) throw Error(Errc::cancelled, "nothing was done");
}

void print_plans(const Report& report, const FleetFlags& flags, AppContext& app) {
    for (const VmReport& vm : report.vms) {
        const Finding& finding = vm.finding;
        if (finding.text.empty()) continue;
        if (flags.display.format == "json") {
            if (flags.display.single)
                app.out << finding.text << '\n';
            else
                app.out << fmt::format("{{\"vm\":{},\"plans\":{}}}\n", nlohmann::json(vm.vm).dump(), finding.text);
            continue;
        }
        if (!flags.display.single) app.out << finding.vm << '\n';
        for (const auto& plan : nlohmann::json::parse(finding.text)) {
            const auto& steps = plan.at("Steps");
            app.out << fmt::format("Plan: layer={} image={} distro={} steps={}\n", plan.value("Layer", ""),
                                   plan.value("Image", ""), plan.value("Distro", ""), steps.size());
            std::map<std::string, int> kinds;
            for (const auto& step : steps) ++kinds[step.value("Kind", "")];
            const auto lasting = std::ranges::count_if(steps, [](const auto& step) { return step.value("Verb", "") == "cmd"; });
            for (const auto& [kind, count] : kinds) app.out << fmt::format("  {}: {}\n", kind, count);
            if (lasting > 0) app.out << fmt::format("  commands, without undo: {}\n", lasting);
            app.out << '\n';
        }
        for (const std::string& note : vm.notes) app.out << note << '\n';
    }
}

void print_single(const Report& report, AppContext& app, const FleetFlags& flags) {
    for (const VmReport& vm : report.vms) {
        if (vm.outcome == Outcome::ok) {
            if (flags.request.dry_run) continue;  // what would be done has been printed
            const char* done = flags.request.verb == FleetVerb::del ? "Removed VM deploy" : "Deployed";
            const std::string where = vm.host.empty()          ? std::string()
                                      : vm.host == "localhost" ? " (localhost)"
                                                               : fmt::format(" (ssh: {})", vm.host);
            if (vm.finding.kind == Finding::Kind::removed && vm.finding.text.empty())
                app.err << fmt::format("{}: nothing of it is deployed{}, nothing was removed\n", vm.vm, where);
            else
                app.err << fmt::format("{} {} in {:.1f} s{}\n", done, vm.vm, vm.seconds, where);
            continue;
        }
        for (const std::string& line : vm.last_lines) app.err << line << '\n';
        const std::string where = vm.layer.empty() ? std::string() : fmt::format(", layer {}, step {}", vm.layer, vm.step);
        app.err << fmt::format("ov: error: {} [{}{}]: {}\n", vm.vm, to_string(vm.phase), where, reason_of(vm));
    }
}

void print_undo(const Report& report, const FleetFlags& flags, AppContext& app) {
    for (const VmReport& vm : report.vms) {
        if (!flags.display.single && !vm.finding.text.empty()) app.out << vm.vm << '\n';
        app.out << vm.finding.text;
    }
}

void print_status(const Report& report, AppContext& app) {
    TextTable table({"KEY", "ENTITY", "HOST", "STATE"});
    for (const VmReport& vm : report.vms) {
        const std::string state =
            vm.outcome == Outcome::ok ? vm.finding.text : fmt::format("{}: {}", to_string(vm.outcome), reason_of(vm));
        table.add({vm.vm, vm.entity, vm.host, state});
    }
    app.out << table.str();
}

/// What goes into the line that ends a machine.
Finding found_by(const Engine& engine, const DeployEvent& event) {
    if (!std::holds_alternative<event::VmFinished>(event.body)) return {};
    const auto found = std::ranges::find(engine.findings(), event.vm, &Finding::vm);
    return found == engine.findings().end() ? Finding() : *found;
}

void print_report(const Engine& engine, const Report& report, const CheckCollector& checks, const FleetFlags& flags,
                  AppContext& app) {
    if (flags.request.verb == FleetVerb::cp_image) {
        print_transfers(engine, report, flags, app);
        app.out.flush();
        return;
    }
    if (flags.request.verb == FleetVerb::test) {
        if (flags.display.output == "json") app.out << to_json(report);
        print_checks(checks, report, flags, app);
        app.out.flush();
        return;
    }
    for (const CheckSuite& suite : checks.suites(report)) {
        if (suite.results.empty()) continue;
        app.err << format_checks({&suite, 1}, CheckFormat::text, flags.display.single);
    }
    if (flags.display.output == "json") {
        app.out << to_json(report);
    } else if (flags.display.output == "table") {
        const bool plans = flags.request.dry_run && applies(flags.request.verb);
        if (plans) print_plans(report, flags, app);
        if (flags.request.dry_run && flags.request.verb == FleetVerb::del) print_undo(report, flags, app);
        if (flags.request.verb == FleetVerb::status)
            print_status(report, app);
        else if (flags.request.verb == FleetVerb::down && report.vms.empty())
            app.err << fmt::format("{} has no instances on this host\n", flags.request.entity);
        else if (flags.display.single || plans)
            print_single(report, app, flags);
        else
            app.out << to_table(report);
    }
    app.out.flush();
}

}  // namespace

void run_fleet(FleetFlags flags, AppContext& app) {
    complete(flags);
    flags.request.project_directory = app.directory;
    Engine engine;
    confirm(engine, flags);
    const ProgressMode mode = progress_mode(flags);
    Progress progress(
        mode, [] { return std::chrono::steady_clock::now(); }, [](std::string_view text) { std::cerr << text << std::flush; },
        terminal_size);
    std::optional<LogFiles> logs;
    if (!flags.display.log_dir.empty()) logs.emplace(flags.display.log_dir);
    Companion companion(engine, progress, mode == ProgressMode::tty);
    const bool lines = flags.display.output == "jsonl";
    CheckCollector checks;
    const auto consume = [&](const DeployEvent& event) {
        const bool told = event.vm.empty() && app.warned && std::holds_alternative<event::Note>(event.body);
        if (!told) progress.on_event(event);
        checks.on_event(event);
        if (logs) logs->on_event(event);
        if (lines) app.out << to_json_line(event, found_by(engine, event)) << '\n' << std::flush;
        companion.on_event(event);
    };
    Report report = engine.run(flags.request, consume);
    progress.clear();
    if (companion.signal() != 0) report.exit_code = 128 + companion.signal();
    if (logs) {
        for (VmReport& vm : report.vms) vm.log = logs->path_of(vm.vm);
        std::ofstream(flags.display.log_dir + "/report.json") << to_json(report);
        if (!logs->problem().empty()) app.err << "ov: warning: " << logs->problem() << '\n';
    }
    print_report(engine, report, checks, flags, app);
    app.exit_status = report.exit_code;
}

}  // namespace ov::cli
