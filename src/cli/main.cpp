// The `ov` program: parses the command line, runs one verb, turns errors into text and exit status.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "cli/app_context.hpp"
#include "cli/ask.hpp"
#include "cli/become_program.hpp"
#include "cli/check_command.hpp"
#include "cli/deploy_command.hpp"
#include "cli/dotenv.hpp"
#include "cli/host_command.hpp"
#include "cli/image_build_command.hpp"
#include "cli/layer_command.hpp"
#include "cli/life_command.hpp"
#include "cli/preempt_command.hpp"
#include "cli/reap_command.hpp"
#include "cli/remote_host.hpp"
#include "cli/remote_words.hpp"
#include "cli/settings_command.hpp"
#include "cli/usage_error.hpp"
#include "cli/vm_command.hpp"
#include "lifecycle/deploy_target.hpp"
#include "ov/diagnostic.hpp"
#include "ov_config.hpp"
#include "state/settings.hpp"

namespace {

int report(const ov::Error& error) {
    if (const auto* spec = dynamic_cast<const ov::SpecError*>(&error)) {
        for (const ov::Diagnostic& finding : spec->findings()) std::cout << finding.str() << '\n';
        std::cout.flush();
        const std::size_t count = spec->findings().size();
        std::cerr << fmt::format("ov: error: {} finding{}\n", count, count == 1 ? "" : "s");
    } else {
        std::cerr << "ov: error: " << error.what() << '\n';
    }
    return error.code() == ov::Errc::cancelled ? 130 : 1;
}

/// Output that did not arrive is no success, whatever the verb did.
int written(int status) {
    std::cout.flush();
    if (std::cout.good()) return status;
    std::cerr << "ov: error: standard output: cannot be written: " << std::strerror(errno) << '\n';
    return status == 0 ? 1 : status;
}

/// Does not return, but for verbs that concern this machine alone.
void go_to_host(std::string host, const CLI::App& app, const std::vector<std::string>& words,
                const std::vector<std::string>& remote_words) {
    const std::string verb = app.get_subcommands().front()->get_name();
    if (verb == "settings" || verb == "version") return;
    if (host.find_first_of("@.") == std::string::npos)
        host = ov::state::Settings::load(ov::operator_paths().settings_file()).host(host).value_or(host);
    if (host.empty() || host.front() == '-')
        throw ov::Error(ov::Errc::usage, "--host: expected [user@]host[:port], got '" + host + "'");
    ov::cli::become_program(ov::cli::ssh_words(host, ov::cli::at_terminal(), ov::cli::remote_command(words, remote_words)));
}

}  // namespace

int main(int argc, char** argv) {
    // A pipe whose reader has gone is an error of the write, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    ov::cli::AppContext context{".", std::cout, std::cerr, 0, {}, {}};
    std::vector<std::string> arguments(argv + 1, argv + argc);
    context.remote_words = ov::cli::cut_remote_words(arguments);
    const std::string warning = ov::cli::load_dotenv(".env");
    if (!warning.empty()) std::cerr << "ov: warning: " << warning << '\n';

    CLI::App app("Brings fleets of virtual machines to a declared state", "ov");
    app.fallthrough();
    app.require_subcommand(1);
    app.set_version_flag("--version", OV_VERSION);
    app.add_option("-C,--dir", context.directory, "Project directory")->envname("OV_PROJECT_DIR")->type_name("PATH");
    std::string host;
    app.add_option("--host", host,
                   "Run all of this on another machine, over ssh: an alias of the settings, or [user@]host[:port]")
        ->envname("OV_HOST")
        ->type_name("DEST");
    ov::cli::add_check_commands(app, context);
    ov::cli::add_deploy_commands(app, context);
    ov::cli::add_fleet_commands(app, context);
    ov::cli::add_host_commands(app, context);
    ov::cli::add_layer_commands(app, context);
    ov::cli::add_image(app, context);
    ov::cli::add_life_commands(app, context);
    ov::cli::add_reap_orphans(app, context);
    ov::cli::add_preempt(app, context);
    ov::cli::add_settings_commands(app, context);
    ov::cli::add_vm_commands(app, context);
    CLI::App* version = app.add_subcommand("version", "Print the version");
    version->footer("Example:\n  ov version");
    version->callback([&context] { context.action = [&context] { context.out << OV_VERSION << '\n'; }; });

    // Last: a verb made after it would inherit it.
    app.footer(
        "Examples:\n  ov vm build web; ov vm create web             a VM from its entity: disk, seed, keys, boot\n"
        "  ov fleet up web --count 4 --yes               four instances of it: build, create, boot, deploy\n"
        "  ov fleet add --all --jobs 50 --yes            deploy to every machine of the project\n"
        "  ov deploy add web --dry-run                   what a deploy would do\n"
        "  ov layer plan ripgrep --distro debian:12      every step of a layer, with its undo\n"
        "  ov vm validate                                every finding about the project's VMs\n"
        "  ov vm render web --format qemu                the definition as a hypervisor gets it\n"
        "`ov VERB --help` and `ov help VERB` tell more.");

    try {
        if (!arguments.empty() && arguments.front() == "help") {
            arguments.erase(arguments.begin());
            arguments.emplace_back("--help");
        }
        std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the end
        const std::vector<std::string> words(arguments.rbegin(), arguments.rend());
        app.parse(arguments);
        if (!host.empty()) go_to_host(host, app, words, context.remote_words);
        std::error_code missing;
        if (!std::filesystem::is_directory(context.directory, missing))
            throw ov::Error(ov::Errc::usage,
                            fmt::format("cannot chdir to {}: {}", context.directory.empty() ? "\"\"" : context.directory,
                                        context.directory.empty() ? "the path is empty" : "not a directory"));
        if (context.action) context.action();
        return written(context.exit_status);
    } catch (const CLI::ParseError& error) {
        // Help and version leave with 0; every wrong command line with 1 (CLI11 has other numbers).
        if (error.get_exit_code() == 0) return app.exit(error);
        std::cerr << "ov: error: " << ov::cli::usage_message(app, error) << '\n';
        return 1;
    } catch (const ov::Error& error) {
        return report(error);
    } catch (const std::exception& error) {
        std::cerr << "ov: error: " << error.what() << '\n';
        return 1;
    }
}
