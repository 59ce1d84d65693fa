// A machine for deploy tests: this one, with a home of its own, through the local launcher and real runners.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <set>
#include <thread>

#include "async/runtime.hpp"
#include "deploy/builders.hpp"
#include "exec/local_launcher.hpp"
#include "exec/runner_executor.hpp"
#include "ov/deploy.hpp"
#include "support/guest_shell.hpp"

namespace ov::test {

class DeployRig {
public:
    DeployRig() { ::setenv("HOME", home().c_str(), 1); }

    std::filesystem::path home() const { return shell_.home(); }
    std::filesystem::path root() const { return shell_.root(); }
    std::map<std::string, std::string> manifest() const { return shell_.manifest(); }
    /// What differs between now and `before`, one path a line; empty: nothing.
    std::string changes_since(const std::map<std::string, std::string>& before) const {
        std::string text;
        const auto now = manifest();
        for (const auto& [path, line] : now)
            if (const auto old = before.find(path); old == before.end())
                text += "+ " + path + "\n";
            else if (old->second != line)
                text += "~ " + path + ": " + old->second + " -> " + line + "\n";
        for (const auto& [path, line] : before)
            if (!now.contains(path)) text += "- " + path + "\n";
        return text;
    }
    std::filesystem::path ledger() const { return home() / ".config/overthink/installed"; }

    /// A task of the deploy user (or of root, where the test runs as root).
    static TaskStep task(TaskVerb verb, const std::filesystem::path& path, bool as_root = false) {
        TaskStep step;
        step.verb = verb;
        step.path = path.string();
        step.layer = "web";
        step.resolved_user = as_root && ::geteuid() == 0 ? "0" : "1000";
        step.run_as_deploy_user = step.resolved_user != "0";
        return step;
    }
    TaskStep write(const std::string& name, const std::string& content, bool as_root = false) const {
        TaskStep step = task(TaskVerb::write, home() / name, as_root);
        step.content = content;
        return step;
    }
    static TaskStep cmd(const std::string& body, bool as_root = false) {
        TaskStep step = task(TaskVerb::cmd, {}, as_root);
        step.cmd = body;
        return step;
    }

    static InstallPlan plan(const std::string& layer, std::vector<StepBody> bodies) {
        InstallPlan out;
        out.layer = layer;
        out.version = "2026.1.1";
        for (StepBody& body : bodies) {
            if (auto* step = std::get_if<TaskStep>(&body)) {
                step->layer = layer;
                step->index = static_cast<int>(out.steps.size());
            }
            if (auto* step = std::get_if<ShellHookStep>(&body)) step->layer = layer;
            out.steps.push_back({std::move(body)});
        }
        return out;
    }

    /// Applies and returns the error, empty when all went well. `steps_seen` collects "<layer>/<step>:<state>".
    std::string apply(std::vector<InstallPlan> plans, const std::string& id = "00000000000000aa",
                      const std::string& key = "vm:web") {
        DeployRequest request;
        request.deploy_id = id;
        request.target = "vm:" + key.substr(key.find(':') + 1);
        request.key = key;
        request.run = "run" + std::to_string(++runs_);
        request.skip_unchanged = skip_unchanged;
        request.step_limit = step_limit;
        request.only_prepare = only_prepare;
        request.plans = std::make_shared<PlanCache>([plans](const CompileContext&) { return plans; });
        return with_machine(
            [request](Machine& machine, Deadline deadline, EmitEvent emit, DeployRig& rig) -> asio::awaitable<void> {
                DeployRequest mine = request;
                if (!rig.podman.empty())
                    mine.builders = std::make_shared<Builders>(*rig.runtime_, (rig.root() / "builders").string(), rig.podman);
                rig.report = co_await apply_deploy(machine, std::move(mine), deadline, emit);
            });
    }

    std::string del(const std::string& key = "vm:web", bool dry_run = false) {
        TeardownRequest request;
        request.target = "vm:" + key.substr(key.find(':') + 1);
        request.key = key;
        request.dry_run = dry_run;
        return with_machine(
            [request](Machine& machine, Deadline deadline, EmitEvent emit, DeployRig& rig) -> asio::awaitable<void> {
                rig.teardown = co_await teardown_deploy(*machine.executor, request, deadline, emit);
            });
    }

    using Work = std::function<asio::awaitable<void>(Machine&, Deadline, EmitEvent, DeployRig&)>;
    std::string with_machine(Work work) {
        // The local launcher ends its shells with the operator; what they had at work ends by itself, a moment later.
        if (std::exchange(died, false)) std::this_thread::sleep_for(std::chrono::milliseconds(250));
        steps_seen.clear();
        notes.clear();
        output.clear();
        Runtime runtime(7);
        runtime_ = &runtime;
        Machine machine;
        machine.executor = std::make_unique<RunnerExecutor>(make_local_launcher(runtime.io.get_executor()), runtime);
        const Deadline deadline = Deadline::unlimited("web").child(std::chrono::seconds(60));
        const EmitEvent emit = [this, deadline](EventBody body) { see(body, deadline); };
        std::string problem;
        auto main = [&]() -> asio::awaitable<void> {
            try {
                co_await work(machine, deadline, emit, *this);
            } catch (const Error& error) {
                problem = error.what();
                code = error.code();
            }
            co_await machine.executor->close(Deadline::unlimited().child(std::chrono::seconds(5)));
        };
        asio::co_spawn(runtime.io, main(), [&](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
        if (stop_after == 0) {
            runtime.io.run();
        } else {
            // The operator dies: nothing is closed, nobody says goodbye.
            for (int i = 0; i < stop_after && runtime.io.run_one() > 0; ++i) ++loop_steps;
            runtime.io.stop();
            died = true;
        }
        return problem;
    }

    std::vector<std::string> steps_seen, notes;
    std::string output;
    DeployReport report;
    TeardownReport teardown;
    Errc code = Errc::internal;
    bool skip_unchanged = false;
    bool only_prepare = false;
    std::optional<std::chrono::seconds> step_limit;
    std::string podman;  ///< a program that plays podman; empty: there are no builders
    int stop_after = 0;  ///< > 0: the operator is killed after so many steps of its event loop
    int loop_steps = 0;
    bool died = false;
    std::string cancel_at;  ///< cancels the deploy when a step with this summary begins

private:
    void see(const EventBody& body, const Deadline& deadline) {
        if (const auto* step = std::get_if<event::StepFinished>(&body))
            steps_seen.push_back(step->layer + "/" + std::to_string(step->step) + ":" + std::string(to_string(step->state)));
        if (const auto* note = std::get_if<event::Note>(&body)) notes.push_back(note->text);
        if (const auto* text = std::get_if<event::Output>(&body)) {
            output += text->text;
            if (!cancel_at.empty() && output.find(cancel_at) != std::string::npos) deadline.cancel();
        }
    }

    GuestShell shell_;
    Runtime* runtime_ = nullptr;
    int runs_ = 0;
};

}  // namespace ov::test
