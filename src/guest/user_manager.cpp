#include "guest/user_manager.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "guest/child.hpp"
#include "guest/pod_files.hpp"
#include "ov/error.hpp"

namespace ov::guest {

namespace {

constexpr int not_loaded = 5;  // systemctl's exit status

}  // namespace

void require_user_manager() {
    const std::string runtime = "/run/user/" + std::to_string(::geteuid());
    if (variable("XDG_RUNTIME_DIR").empty()) ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
    const std::string manager = variable("XDG_RUNTIME_DIR") + "/systemd";
    for (int tries = 0; tries < 600 && !std::filesystem::is_directory(manager); ++tries) ::usleep(100 * 1000);
    if (!std::filesystem::is_directory(manager))
        throw Error(Errc::unsupported,
                    fmt::format("no systemd user manager ({} is missing after a minute): a pod needs one to come back "
                                "after a reboot; `sudo loginctl enable-linger {}`",
                                manager, variable("USER")));
}

void stop_unit(const std::string& service) {
    const Finished stopped = run({"systemctl", "--user", "stop", service});
    if (!stopped.ok() && stopped.status != not_loaded)
        throw Error(Errc::step_failed, fmt::format("stop {}: exit status {}: {}", service, stopped.status, stopped.words()));
}

}  // namespace ov::guest
