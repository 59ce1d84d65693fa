#include "lifecycle/pods.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/shell_quote.hpp"
#include "lifecycle/pod_commands.hpp"
#include "lifecycle/pod_place.hpp"
#include "ov/error.hpp"

namespace ov {

using namespace pods;

namespace {

// After the last pod nothing of ours is left but volumes and images.
constexpr const char* leave_script = R"sh([[ -z $("$guest" deploy list) ]] || exit 0
echo empty
podman network rm ov >/dev/null 2>&1
rm -f -- "$HOME"/.cache/ov/ov-*
rmdir -- "$HOME/.cache/ov" 2>/dev/null
if [[ -e $HOME/.config/ov/pods/.linger ]]; then rm -f -- "$HOME/.config/ov/pods/.linger"; echo linger; fi
# podman 4 with CNI keeps the lock of the networks that it no longer has.
cni=$HOME/.config/cni/net.d
[[ $(ls -A -- "$cni" 2>/dev/null) != cni.lock ]] || rm -f -- "$cni/cni.lock"
rmdir -- "$HOME/.config/ov/pods" "$HOME/.config/ov" "$HOME/.config/containers/systemd" "$HOME/.config/containers" "$cni" "${cni%/*}" \
    "$HOME/.config/systemd/user/default.target.wants" "$HOME/.config/systemd/user" "$HOME/.config/systemd" 2>/dev/null
exit 0
)sh";

constexpr const char* leave_root_script = R"sh(if [[ -n $linger ]]; then loginctl disable-linger -- "$user"; fi
unit=/etc/systemd/system/ov-nvidia-cdi.service
if [[ -e $unit ]] && head -n 1 "$unit" | grep -qxF '# made by ov'; then
    systemctl disable ov-nvidia-cdi.service; rm -f -- "$unit" /etc/cdi/nvidia.yaml; systemctl daemon-reload
fi
exit 0
)sh";

}  // namespace

asio::awaitable<std::vector<std::string>> take_down_pods(Executor& machine, Runtime& runtime, PodRemoval removal,
                                                         Deadline deadline, EmitEvent events) {
    Listed listed = co_await list_pods(machine, removal.owner, deadline);
    std::vector<std::string> names = std::move(listed.names);
    if (!removal.only.empty()) std::erase_if(names, [&removal](const std::string& name) { return name != removal.only; });
    std::ranges::sort(names, std::greater{});
    if (removal.dry_run || names.empty()) co_return names;
    if (!listed.program) {
        Place place = co_await look_at_place(machine, deadline);
        std::string unknown;
        co_await bring_program(machine, runtime, std::move(place), std::move(unknown), deadline, events);
    }
    std::string script, failed;
    for (const std::string& name : names) {
        script = fmt::format("{}\"$guest\" deploy del {}\n", find_program, shell_quote(name));
        const CommandResult result = co_await ask(machine, RunAs::user, script, "remove pod " + name, deadline);
        if (result.ok() && !result.err.empty())
            events(event::Note{Severity::warning, fmt::format("pod {}: {}", name, words_of(result))});
        if (result.ok())
            events(event::Note{Severity::note, fmt::format("pod {}: removed", name)});
        else
            failed += fmt::format("{}pod {}: {}", failed.empty() ? "" : "; ", name, words_of(result));
    }
    if (!failed.empty()) throw Error(Errc::step_failed, failed);
    if (!removal.leave) co_return names;
    const CommandResult left =
        co_await ask(machine, RunAs::user, std::string(find_program) + leave_script, "after the last pod", deadline);
    if (left.out.find("empty") == std::string::npos) co_return names;
    const CommandResult user = co_await ask(machine, RunAs::user, "id -un\n", "user", deadline);
    std::string login = user.out;
    login.erase(login.find_last_not_of(" \n") + 1);
    script = fmt::format("user={}\nlinger={}\n{}", shell_quote(login), left.out.find("linger") == std::string::npos ? "''" : "1",
                         leave_root_script);
    co_await must(machine, RunAs::root, script, "after the last pod", deadline);
    co_return names;
}

}  // namespace ov
