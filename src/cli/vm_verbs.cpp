#include "cli/vm_verbs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/signal_set.hpp>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <random>

#include "async/sigpipe_guard.hpp"
#include "cli/remote_project.hpp"
#include "cli/vm_entity_ref.hpp"
#include "lifecycle/load_layers.hpp"
#include "ov/load.hpp"

namespace ov::cli {

namespace {

/// Bytes for people: one decimal and a binary unit.
std::string size_text(std::uint64_t bytes) {
    constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes) / 1024;
    int unit = 0;
    for (; value >= 1024 && unit < 3; ++unit) value /= 1024;
    return fmt::format("{:.1f} {}", value, units[unit]);
}

/// One line that is rewritten on a terminal, a few lines anywhere else.
class TransferLine {
public:
    explicit TransferLine(std::ostream& err) : err_(err), terminal_(::isatty(STDERR_FILENO) == 1) {}
    void show(const event::Transfer& transfer) {
        const std::uint64_t total = transfer.total.value_or(0);
        const int tenth = total > 0 ? static_cast<int>(transfer.bytes * 10 / total) : 0;
        if (!terminal_ && transfer.what == what_ && tenth == tenth_) return;
        what_ = transfer.what;
        tenth_ = tenth;
        err_ << (terminal_ ? "\r\x1b[K" : "") << transfer.what << ": " << size_text(transfer.bytes);
        if (total > 0) err_ << " of " << size_text(total);
        err_ << (terminal_ && transfer.bytes != total ? "" : "\n") << std::flush;
    }

private:
    std::ostream& err_;
    bool terminal_;
    std::string what_;
    int tenth_ = -1;
};

}  // namespace

VmIdentity machine_of(const std::string& name, const std::string& instance) {
    VmIdentity machine = named_vm(name);
    if (instance.empty()) return machine;
    if (!machine.instance.empty())
        throw Error(Errc::usage, fmt::format("{} names an instance already; -i {} is one too many", name, instance));
    machine.instance = instance;
    return machine;
}

namespace {

/// The project, or as much of one as this host's state makes.
Project project_for(const AppContext& app, const OperatorPaths& paths, NeedsProject needs, Deadline deadline) {
    const bool there = std::filesystem::exists(app.directory + "/overthink.yml");
    if (needs == NeedsProject::yes || (needs == NeedsProject::if_there && there)) {
        // Loading runs a loop only when something has to be fetched; a signal that waits must not keep it alive.
        Runtime loader(1);
        const RemoteAccess access{paths.repositories, loader, deadline};
        return load_project(LoadOptions{app.directory, paths.deploy_file()}, access);
    }
    Project project;
    project.directory = std::filesystem::weakly_canonical(app.directory).string();
    project.deploys = load_deploy_file(paths.deploy_file(), project.warnings);
    return project;
}

/// After a signal: a libvirt call may hang in its thread for ever, and nothing may wait for it (decisions 44).
[[noreturn]] void leave(AppContext& app, int signal, const std::exception_ptr& failure) {
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        app.err << "ov: error: " << error.what() << '\n';
    }
    app.err << std::flush;
    app.out << std::flush;
    std::_Exit(128 + signal);
}

}  // namespace

void run_vm_work(AppContext& app, std::function<asio::awaitable<void>(VmContext&, Deadline)> work, NeedsProject needs) {
    const OperatorPaths paths = operator_paths();
    Runtime runtime(std::random_device{}());
    const Deadline deadline = Deadline::unlimited();
    asio::signal_set signals(runtime.io, SIGINT, SIGTERM);
    int signal = 0;
    std::function<void()> listen = [&] {
        signals.async_wait([&](asio::error_code error, int number) {
            if (error) return;
            if (signal != 0) leave(app, number, nullptr);  // asked twice
            signal = number;
            app.err << "ov: cancelling (again to leave at once)\n" << std::flush;
            deadline.cancel();
            listen();
        });
    };
    listen();
    std::exception_ptr failure;
    {
        VmContext context{runtime, std::make_shared<const Project>(project_for(app, paths, needs, deadline)), paths,
                          std::filesystem::weakly_canonical(app.directory).string(), paths.deploy_file()};
        TransferLine line(app.err);
        tell_warnings(*context.project, app);
        context.note = [&app](const std::string& text) { app.err << "ov: note: " << text << '\n' << std::flush; };
        context.progress = [&line](const event::Transfer& transfer) { line.show(transfer); };
        const SigpipeGuard pipes;
        asio::co_spawn(runtime.io, work(context, deadline), [&](std::exception_ptr error) {
            failure = error;
            signals.cancel();
        });
        runtime.io.run();
    }
    if (signal != 0) leave(app, signal, failure);
    if (failure) std::rethrow_exception(failure);
}

}  // namespace ov::cli
