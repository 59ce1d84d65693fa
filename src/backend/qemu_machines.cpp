#include "backend/qemu_machines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <asio/this_coro.hpp>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "backend/disk_image.hpp"
#include "backend/qemu_launch.hpp"
#include "backend/qemu_process.hpp"
#include "backend/qmp.hpp"

namespace ov {

namespace {

using namespace std::chrono_literals;

/// A look at a machine that another command talks to just now must not take long.
constexpr auto look_limit = 1500ms;
/// A guest that boots has not opened its power button yet; it is pressed again.
constexpr auto press_again = 10s;
/// After SIGTERM QEMU closes its disks.
constexpr auto terminate_limit = 10s;

asio::awaitable<std::string> ask_status(std::string socket, Deadline deadline) {
    const auto client = co_await QmpClient::connect(std::move(socket), deadline);
    const nlohmann::json answer = co_await client->execute("query-status", deadline);
    co_return answer.value("status", "");
}

/// The socket must be that of this machine: nothing is sent to another one's.
asio::awaitable<std::unique_ptr<QmpClient>> connect_to(std::string socket, std::string name, Deadline deadline) {
    auto client = co_await QmpClient::connect(std::move(socket), deadline);
    const nlohmann::json answer = co_await client->execute("query-name", deadline);
    const std::string answered = answer.value("name", name);
    if (answered != name) throw Error(Errc::busy, fmt::format("the QMP socket of {} answers for {}", name, answered));
    co_return client;
}

/// Whether the machine went off by itself in time.
asio::awaitable<bool> ask_guest(QemuProcess& process, QmpClient& client, Deadline deadline) {
    for (;;) {
        bool ended = false;
        try {
            co_await client.execute("system_powerdown", deadline);
            const Deadline slice = deadline.child(press_again);
            std::vector<std::string> names{"SHUTDOWN"};
            co_await client.wait_event(std::move(names), slice);
            ended = true;
        } catch (const Error& error) {
            if (error.code() == Errc::cancelled) throw;
            ended = error.code() == Errc::transport_lost;
        }
        if (ended || deadline.expired()) break;
    }
    try {
        co_await process.wait_end(deadline);
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled) throw;
    }
    co_return process.ended();
}

/// quit, SIGTERM, SIGKILL: the mildest that works.
asio::awaitable<void> power_off(QemuProcess& process, QmpClient* client, Deadline deadline) {
    const Deadline patience = deadline.child(terminate_limit);
    bool asked = false;
    if (client != nullptr) {
        try {
            co_await client->execute("quit", patience);
            asked = true;
        } catch (const Error& error) {
            if (error.code() == Errc::cancelled) throw;
            asked = error.code() == Errc::transport_lost;
        }
    }
    if (!asked) process.signal(SIGTERM);
    try {
        co_await process.wait_end(patience);
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled) throw;
    }
    if (!process.ended()) co_await kill_qemu(process);
}

bool is_option(const std::vector<std::string>& argv, std::string_view option) {
    return std::find(argv.begin(), argv.end(), option) != argv.end();
}

}  // namespace

MachineState state_of_qemu(std::string_view status) noexcept {
    if (status == "running" || status == "save-vm" || status == "restore-vm") return MachineState::running;
    if (status == "paused" || status == "prelaunch" || status == "inmigrate" || status == "postmigrate" ||
        status == "finish-migrate" || status == "io-error" || status == "watchdog")
        return MachineState::paused;
    if (status == "shutdown") return MachineState::shutting_down;
    if (status == "suspended") return MachineState::suspended;
    if (status == "guest-panicked" || status == "internal-error") return MachineState::crashed;
    return MachineState::unknown;
}

asio::awaitable<std::optional<std::vector<std::string>>> QemuMachines::command_of(std::string name, Deadline deadline) {
    auto load = [store = store_, name] { return store->load(name); };
    auto command = co_await runtime_.pool.run(deadline, std::move(load));
    co_return command;
}

asio::awaitable<MachineState> QemuMachines::state(std::string name, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const QemuFiles files = files_of(name);
    if (!QemuProcess::find(executor, files.pidfile())) {
        const auto command = co_await command_of(name, deadline);
        co_return command ? MachineState::shut_off : MachineState::undefined;
    }
    MachineState state = MachineState::running;
    try {
        const Deadline look = deadline.child(look_limit);
        const std::string status = co_await ask_status(files.qmp(), look);
        state = state_of_qemu(status);
    } catch (const Error& error) {
        // The process is there; another command holds its socket.
        if (error.code() == Errc::cancelled) throw;
    }
    co_return state;
}

asio::awaitable<void> QemuMachines::define(MachineDefinition definition, Deadline deadline) {
    const MachineState now = co_await state(definition.name, deadline);
    if (is_active(now)) throw Error(Errc::busy, fmt::format("{} is {}: stop it first", definition.name, to_string(now)));
    std::vector<std::string> argv = std::move(definition.argv);
    if (argv.empty()) throw Error(Errc::internal, "define: no command line");
    if (!is_option(argv, "-name")) argv.insert(argv.begin() + 1, {"-name", "guest=" + definition.name});
    auto save = [store = store_, name = definition.name, argv = std::move(argv)] { store->save(name, argv); };
    co_await runtime_.pool.run(deadline, std::move(save));
}

asio::awaitable<void> QemuMachines::start(std::string name, Deadline deadline) {
    const QemuFiles files = files_of(name);
    const MachineState now = co_await state(name, deadline);
    if (now == MachineState::undefined) throw Error(Errc::not_found, fmt::format("{} is not defined", name));
    if (now == MachineState::paused || now == MachineState::suspended) {
        const auto client = co_await connect_to(files.qmp(), name, deadline);
        const std::string command = now == MachineState::paused ? "cont" : "system_wakeup";
        co_await client->execute(command, deadline);
        co_return;
    }
    if (is_active(now)) co_return;
    auto command = co_await command_of(name, deadline);
    if (!command || command->empty()) throw Error(Errc::not_found, fmt::format("{} has no command line", name));
    QemuProcess process = co_await launch_qemu(std::move(*command), files.directory, files.pidfile(), deadline);
    if (!std::filesystem::exists(files.qmp())) co_return;  // a command line without a control socket
    std::exception_ptr failure;
    try {
        co_await connect_to(files.qmp(), name, deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    co_await kill_qemu(process);
    std::rethrow_exception(failure);
}

asio::awaitable<StopResult> QemuMachines::stop(std::string name, StopOptions options, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const QemuFiles files = files_of(name);
    std::optional<QemuProcess> process = QemuProcess::find(executor, files.pidfile());
    if (!process) co_return StopResult::was_off;
    const bool ask = options.way != StopOptions::Way::force;
    std::unique_ptr<QmpClient> client;
    std::string silence;
    try {
        client = co_await connect_to(files.qmp(), name, deadline);
        if (ask) {
            const nlohmann::json answer = co_await client->execute("query-status", deadline);
            // A paused guest cannot see its power button.
            if (state_of_qemu(answer.value("status", "")) == MachineState::paused) co_await client->execute("cont", deadline);
        }
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled || error.code() == Errc::timed_out || error.code() == Errc::busy) throw;
        silence = error.what();
    }
    StopResult result = StopResult::powered_off;
    if (ask && client) {
        const Deadline patience = deadline.child(options.timeout);
        const bool ended = co_await ask_guest(*process, *client, patience);
        if (ended) result = StopResult::guest_shut_down;
    }
    if (result == StopResult::powered_off) {
        if (options.way == StopOptions::Way::graceful) {
            deadline.check();
            if (!client)
                throw Error(Errc::unreachable,
                            fmt::format("{} cannot be asked to shut down: {}; --force powers it off", name, silence));
            throw Error(Errc::timed_out, fmt::format("{} did not shut down within {} s; --force powers it off", name,
                                                     std::chrono::duration_cast<std::chrono::seconds>(options.timeout).count()));
        }
        co_await power_off(*process, client.get(), deadline);
    }
    remove_runtime_files(files.directory);
    co_return result;
}

asio::awaitable<void> QemuMachines::undefine(std::string name, UndefineOptions options, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const QemuFiles files = files_of(name);
    if (QemuProcess::find(executor, files.pidfile())) throw Error(Errc::busy, fmt::format("{} is running: stop it first", name));
    const std::string nvram = options.keep_nvram ? std::string() : files.nvram();
    auto forget = [store = store_, name, nvram, directory = files.directory] {
        remove_runtime_files(directory);
        std::error_code ignored;
        if (!nvram.empty()) std::filesystem::remove(nvram, ignored);
        store->remove(name);
    };
    co_await runtime_.pool.run(deadline, std::move(forget));
}

asio::awaitable<std::vector<MachineRow>> QemuMachines::list(Deadline deadline) {
    auto read = [store = store_] { return store->names(); };
    std::vector<std::string> names = co_await runtime_.pool.run(deadline, std::move(read));
    std::sort(names.begin(), names.end());
    std::vector<MachineRow> rows;
    for (const std::string& name : names) {
        if (!name.starts_with("ov-")) continue;
        const MachineState now = co_await state(name, deadline);
        rows.push_back({name, now});
    }
    co_return rows;
}

std::vector<std::string> drives_of(const std::vector<std::string>& argv) {
    std::vector<std::string> files;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& options = argv[i];
        if (argv[i - 1] != "-drive" || options.find("if=pflash") != std::string::npos) continue;
        const std::size_t start = options.starts_with("file=") ? 5 : options.find(",file=") + 6;
        if (start != 5 && options.find(",file=") == std::string::npos) continue;
        std::string file;
        for (std::size_t at = start; at < options.size(); ++at) {
            // A comma of the value is doubled, a single one ends it.
            if (options[at] == ',' && (at + 1 == options.size() || options[at + 1] != ',')) break;
            if (options[at] == ',') ++at;
            file.push_back(options[at]);
        }
        files.push_back(std::move(file));
    }
    return files;
}

asio::awaitable<std::vector<std::string>> QemuMachines::disks(std::string name, Deadline deadline) {
    const auto command = co_await command_of(name, deadline);
    co_return command ? drives_of(*command) : std::vector<std::string>();
}

namespace {

/// Node of the machine's own disk: the first writable one that is no firmware.
std::string disk_node(const nlohmann::json& blocks, const std::string& file) {
    for (const auto& block : blocks) {
        const auto inserted = block.find("inserted");
        if (inserted != block.end() && inserted->value("file", "") == file) return inserted->value("node-name", "");
    }
    return {};
}

/// Jobs end by event; their error is asked for afterwards.
asio::awaitable<void> finish_job(QmpClient& client, std::string id, Deadline deadline) {
    for (;;) {
        std::vector<std::string> names{"JOB_STATUS_CHANGE"};
        const QmpEvent event = co_await client.wait_event(std::move(names), deadline);
        const nlohmann::json data = nlohmann::json::parse(event.data, nullptr, false);
        if (data.value("id", "") == id && data.value("status", "") == "concluded") break;
    }
    const nlohmann::json jobs = co_await client.execute("query-jobs", deadline);
    std::string problem;
    for (const auto& job : jobs)
        if (job.value("id", "") == id) problem = job.value("error", "");
    nlohmann::json dismiss = {{"id", id}};
    co_await client.execute("job-dismiss", std::move(dismiss), deadline);
    if (!problem.empty()) throw Error(Errc::io, "QEMU: " + problem);
}

}  // namespace

asio::awaitable<void> QemuMachines::snapshot_job(std::string name, std::string job, std::string letter, std::string snapshot,
                                                 Deadline deadline) {
    const MachineState now = co_await state(name, deadline);
    const std::vector<std::string> files = co_await disks(name, deadline);
    if (files.empty()) throw Error(Errc::unsupported, name + " has no disk");
    if (!is_active(now)) {
        std::vector<std::string> words{"snapshot", letter, snapshot, files.front()};
        co_await run_qemu_img(std::move(words), deadline);
        co_return;
    }
    const auto client = co_await connect_to(files_of(name).qmp(), name, deadline);
    const nlohmann::json blocks = co_await client->execute("query-block", deadline);
    const std::string node = disk_node(blocks, files.front());
    if (node.empty()) throw Error(Errc::unsupported, fmt::format("QEMU knows no node of {}", files.front()));
    const std::string id = "ov-snapshot";
    nlohmann::json arguments = {{"job-id", id}, {"tag", snapshot}, {"devices", nlohmann::json::array({node})}};
    if (job != "snapshot-delete") arguments["vmstate"] = node;
    co_await client->execute(job, std::move(arguments), deadline);
    co_await finish_job(*client, id, deadline);
    // Loading leaves the machine as it was saved; saving and loading stop it for their time.
    const nlohmann::json after = co_await client->execute("query-status", deadline);
    if (now == MachineState::running && !after.value("running", true)) co_await client->execute("cont", deadline);
}

asio::awaitable<void> QemuMachines::save_internal(std::string name, std::string snapshot, std::string, Deadline deadline) {
    co_await snapshot_job(std::move(name), "snapshot-save", "-c", std::move(snapshot), deadline);
}

asio::awaitable<void> QemuMachines::load_internal(std::string name, std::string snapshot, Deadline deadline) {
    co_await snapshot_job(std::move(name), "snapshot-load", "-a", std::move(snapshot), deadline);
}

asio::awaitable<void> QemuMachines::drop_internal(std::string name, std::string snapshot, Deadline deadline) {
    co_await snapshot_job(std::move(name), "snapshot-delete", "-d", std::move(snapshot), deadline);
}

asio::awaitable<void> QemuMachines::close(Deadline) {
    co_return;
}

}  // namespace ov
