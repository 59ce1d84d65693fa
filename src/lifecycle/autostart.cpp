#include "lifecycle/autostart.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>

#include "async/process.hpp"
#include "ov/error.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;

std::string unit_path(const VmContext& context, const std::string& domain) {
    return context.paths.config + "/systemd/user/" + autostart_unit_name(domain);
}

std::string virsh_path() {
    for (const char* path : {"/usr/bin/virsh", "/usr/local/bin/virsh", "/bin/virsh"}) {
        std::error_code ignored;
        if (fs::exists(path, ignored)) return path;
    }
    return "/usr/bin/env virsh";
}

std::string user_name() {
    const passwd* entry = ::getpwuid(::getuid());
    return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

/// Exit status 0; false also where the program is missing or nobody answers.
asio::awaitable<bool> succeeds(std::vector<std::string> argv, std::string* out, Deadline deadline) {
    ProcessOptions options;
    options.argv = std::move(argv);
    try {
        ProcessOutput output = co_await run_process(std::move(options), deadline.child(std::chrono::seconds(10)));
        if (out != nullptr) *out = std::move(output.out);
        co_return output.status == 0;
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled) throw;
    }
    co_return false;
}

asio::awaitable<void> attempt(VmContext& context, std::vector<std::string> argv, Deadline deadline) {
    const std::string shown = fmt::format("{}", fmt::join(argv, " "));
    const bool done = co_await succeeds(std::move(argv), nullptr, deadline);
    if (!done) context.say(fmt::format("autostart: this did not work, run it yourself: {}", shown));
}

}  // namespace

std::string autostart_unit_name(const std::string& domain) {
    return "ov-autostart-" + domain + ".service";
}

std::string autostart_unit(const std::string& domain, const std::string& virsh, const std::string& uri) {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (domain.empty() || domain.find_first_not_of(allowed) != std::string::npos)
        throw Error(Errc::usage, fmt::format("autostart: '{}' is no name for a unit: A-Z a-z 0-9 . _ -", domain));
    return fmt::format(
        "[Unit]\n"
        "Description=ov autostart for the libvirt session domain {0}\n"
        "After=default.target\n\n"
        "[Service]\n"
        "Type=oneshot\n"
        "ExecStart={1} -c {2} start {0}\n"
        "SuccessExitStatus=1\n"
        "RemainAfterExit=yes\n\n"
        "[Install]\n"
        "WantedBy=default.target\n",
        domain, virsh, uri);
}

asio::awaitable<void> ensure_autostart(VmContext& context, std::string domain, std::string uri, Deadline deadline) {
    if (!uri.ends_with("/session") || uri.find("ssh://") != std::string::npos) co_return;
    const std::string text = autostart_unit(domain, virsh_path(), uri), path = unit_path(context, domain);
    auto write = [path, text] { state::write_file(path, text, 0644); };
    co_await context.runtime.pool.run(deadline, write);
    const std::string user = user_name();
    std::string linger;
    std::vector<std::string> ask{"loginctl", "show-user", user, "--property=Linger"};
    co_await succeeds(std::move(ask), &linger, deadline);
    if (linger.find("Linger=yes") == std::string::npos) {
        std::vector<std::string> enable{"loginctl", "enable-linger", user};
        co_await attempt(context, std::move(enable), deadline);
    }
    std::vector<std::string> reload{"systemctl", "--user", "daemon-reload"};
    co_await attempt(context, std::move(reload), deadline);
    std::vector<std::string> enable{"systemctl", "--user", "enable", autostart_unit_name(domain)};
    co_await attempt(context, std::move(enable), deadline);
}

asio::awaitable<void> remove_autostart(VmContext& context, std::string domain, Deadline deadline) {
    const std::string path = unit_path(context, domain);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) co_return;
    std::vector<std::string> disable{"systemctl", "--user", "disable", autostart_unit_name(domain)};
    co_await succeeds(std::move(disable), nullptr, deadline);
    auto remove = [path] { state::remove_file(path); };
    co_await context.runtime.pool.run(deadline, remove);
    std::vector<std::string> reload{"systemctl", "--user", "daemon-reload"};
    co_await succeeds(std::move(reload), nullptr, deadline);
}

}  // namespace ov
