#include "lifecycle/pods.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/task_group.hpp"
#include "base/shell_quote.hpp"
#include "lifecycle/pod_commands.hpp"
#include "lifecycle/pod_place.hpp"
#include "ov/error.hpp"

namespace ov {

using namespace pods;

namespace {

constexpr std::size_t most_at_once = 4;
constexpr std::chrono::minutes start_limit{20};

// `user` is set before. Who enabled lingering takes it back with the last pod.
constexpr const char* linger_script = R"sh(loginctl enable-linger -- "$user" || exit
home=$(getent passwd -- "$user" | cut -d: -f6) || exit
runuser -u "$user" -- mkdir -p -- "$home/.config/ov/pods" && runuser -u "$user" -- touch -- "$home/.config/ov/pods/.linger"
)sh";

// The driver may change before the next boot, so the unit makes the description anew then.
constexpr const char* cdi_script = R"sh(set -e
tool=$(command -v nvidia-ctk)
mkdir -p /etc/cdi
"$tool" cdi generate --output=/etc/cdi/nvidia.yaml >&2
chmod 0644 /etc/cdi/nvidia.yaml
printf '%s\n' '# made by ov' '[Unit]' 'Description=Container devices of NVIDIA cards' 'After=local-fs.target' '' '[Service]' \
    'Type=oneshot' "ExecStart=$tool cdi generate --output=/etc/cdi/nvidia.yaml" 'ExecStartPost=/bin/chmod 0644 /etc/cdi/nvidia.yaml' \
    '' '[Install]' 'WantedBy=multi-user.target' >/etc/systemd/system/ov-nvidia-cdi.service
systemctl daemon-reload
systemctl enable ov-nvidia-cdi.service
)sh";

/// Lingering, the program, a description of GPUs: what all pods of the machine share.
asio::awaitable<Place> prepare(Executor& machine, Runtime& runtime, std::string program, Deadline deadline, EmitEvent events) {
    Place place = co_await look_at_place(machine, deadline);
    if (place.linger != "yes")
        co_await must(machine, RunAs::root, fmt::format("user={}\n{}", shell_quote(place.user), linger_script),
                      "let the user's services outlive the login", deadline);
    if (place.gpu == "wanted") {
        co_await must(machine, RunAs::root, cdi_script, "describe the NVIDIA cards for containers (nvidia-ctk)", deadline);
        events(event::Note{Severity::note,
                           "the NVIDIA cards are described for containers in /etc/cdi/nvidia.yaml, anew at each boot"});
    } else if (place.gpu == "impossible") {
        events(
            event::Note{Severity::warning,
                        "nvidia-smi works and nvidia-ctk is missing: pods get no NVIDIA card; install nvidia-container-toolkit"});
    }
    place.program = co_await bring_program(machine, runtime, place, std::move(program), deadline, events);
    co_return place;
}

class PodWork {
public:
    PodWork(Executor& machine, ImageShelf& shelf, Runtime& runtime, PodRun run, EmitEvent events)
        : machine_(machine),
          shelf_(shelf),
          runtime_(runtime),
          run_(std::move(run)),
          events_(std::move(events)),
          places_(runtime.io.get_executor(), most_at_once) {}

    asio::awaitable<void> run(Deadline deadline) {
        if (run_.all) co_await drop_stale(deadline);
        if (!run_.children.empty()) co_await bring_all(deadline);
        std::string failed;
        for (const std::string& failure : failures_)
            if (!failure.empty()) failed += (failed.empty() ? "" : "; ") + failure;
        if (!failed.empty()) throw Error(Errc::step_failed, failed);
    }

private:
    asio::awaitable<void> bring_all(Deadline deadline) {
        place_ = co_await prepare(machine_, runtime_, run_.program, deadline, events_);
        first_ = failures_.size();
        failures_.resize(first_ + run_.children.size());
        auto body = [this](TaskGroup& group) -> asio::awaitable<void> {
            for (std::size_t i = 0; i < run_.children.size(); ++i) group.spawn(one(i, group.deadline()));
            co_return;
        };
        co_await with_task_group(deadline, body, OnFailure::let_finish);
    }

    void say(const PodChild& child, const std::string& text) {
        events_(event::Note{Severity::note, fmt::format("pod {}: {}", child.key, text)});
    }

    asio::awaitable<void> one(std::size_t index, Deadline deadline) {
        const PodChild& child = run_.children[index];
        try {
            const Semaphore::Place turn = co_await places_.acquire(deadline);
            co_await bring_up(child, deadline);
        } catch (const Error& error) {
            // Cut short as a whole: that is not this pod's failure.
            if (error.code() == Errc::cancelled || deadline.expired()) throw;
            failures_[first_ + index] = fmt::format("pod {}: {}", child.key, error.what());
        }
    }

    asio::awaitable<void> bring_up(const PodChild& child, Deadline deadline) {
        const auto start = Deadline::Clock::now();
        say(child, fmt::format("image {}", child.image));
        const HostImage image = co_await shelf_.get(child.image, deadline, events_);
        say(child, "sending");
        const std::string name = fmt::format("localhost/ov-{}:latest", child.key);
        CopyImageOptions options;
        options.as = name;
        options.rootless = true;
        const auto executor = runtime_.io.get_executor();
        const ImageExport stream = [ref = image.ref, executor] { return podman_save(ref, executor); };
        OpenImage open = share_export(executor, stream);
        const CopyImageResult copied =
            co_await copy_image(machine_, image, std::move(open), std::move(options), deadline, events_);
        say(child, copied.sent
                       ? fmt::format("sent {} bytes, {} of {} layers", copied.wire_bytes, copied.layers_sent, image.layers.size())
                       : std::string("its image is there"));
        Command command;
        command.script = fmt::format("{} deploy from-image {} {} --owner {} --env-stdin", shell_quote(place_.program),
                                     shell_quote(name), shell_quote(child.key), shell_quote(run_.owner));
        for (const std::string& port : child.ports) command.script += " -p " + shell_quote(port);
        command.script += "\n";
        command.label = "deploy from-image " + child.key;  // its shell confirms the end, so it is not replaced
        command.limit = start_limit;
        // Values of variables stay out of argv.
        std::string variables;
        for (const std::string& line : child.env) (variables += line) += '\0';
        auto input = bytes_of(std::move(variables));
        const CommandResult result = co_await machine_.feed(std::move(command), std::move(input), deadline);
        if (!result.ok()) throw Error(Errc::step_failed, words_of(result));
        std::string words = result.out;
        words.erase(words.find_last_not_of(" \n") + 1);
        const double seconds = std::chrono::duration<double>(Deadline::Clock::now() - start).count();
        say(child, fmt::format("{} ({:.1f} s)", words, seconds));
    }

    asio::awaitable<void> drop_stale(Deadline deadline) {
        const Listed listed = co_await list_pods(machine_, run_.owner, deadline);
        for (const std::string& name : listed.names) {
            const bool wanted = std::ranges::any_of(run_.children, [&](const PodChild& child) { return child.key == name; });
            if (wanted) continue;
            events_(event::Note{Severity::note, fmt::format("pod {}: no child of {} any more, it is removed", name, run_.owner)});
            try {
                PodRemoval removal{run_.owner, name};
                removal.leave = run_.children.empty();
                co_await take_down_pods(machine_, runtime_, std::move(removal), deadline, events_);
            } catch (const Error& error) {
                if (error.code() == Errc::cancelled || deadline.expired()) throw;
                failures_.push_back(error.what());  // those that are wanted come up all the same
            }
        }
    }

    Executor& machine_;
    ImageShelf& shelf_;
    Runtime& runtime_;
    PodRun run_;
    EmitEvent events_;
    Semaphore places_;
    Place place_;
    std::vector<std::string> failures_;  ///< of stale pods, then from `first_` one a child
    std::size_t first_ = 0;
};

}  // namespace

PodChild pod_child(const std::string& key, const std::string& image, const DeployNode& node) {
    const bool good = !key.empty() && key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string::npos &&
                      std::string_view("._-").find(key.front()) == std::string_view::npos;
    if (!good)
        throw Error(Errc::spec_invalid,
                    fmt::format("nested pod {}: the key names container and unit: [a-z0-9][a-z0-9._-]*", key));
    PodChild child{key, image, node.env, {}};
    if (const YamlNode* ports = node.body ? node.body->find("port") : nullptr)
        for (const YamlPtr& item : ports->items) child.ports.push_back(item->text);
    return child;
}

std::vector<PodChild> pod_children(const DeployNode& node) {
    std::vector<PodChild> children;
    for (const auto& [key, child] : node.nested) {
        const bool pod = child.target.empty() ? child.vm.empty() : child.target == "pod" || child.target == "container";
        if (pod && !child.image.empty()) children.push_back(pod_child(key, child.image, child));
    }
    return children;
}

asio::awaitable<void> bring_up_pods(Executor& machine, ImageShelf& shelf, Runtime& runtime, PodRun run, Deadline deadline,
                                    EmitEvent events) {
    PodWork work(machine, shelf, runtime, std::move(run), std::move(events));
    co_await work.run(deadline);
}

}  // namespace ov
