// Real QEMU processes without a disk: with -S they never run an instruction, without it the BIOS finds nothing to boot.
#include "backend/qemu_machines.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "backend/qemu_process.hpp"
#include "backend/qmp.hpp"
#include "support/memory_commands.hpp"
#include "support/run_loop.hpp"
#include "support/temp_tree.hpp"

using namespace std::chrono_literals;
using ov::Deadline;
using ov::MachineState;
using ov::StopOptions;
using ov::StopResult;

namespace {

bool has_qemu() {
    const bool found = std::system("command -v qemu-system-x86_64 > /dev/null") == 0;
    if (!found) MESSAGE("skipped: no qemu-system-x86_64");
    return found;
}

/// One machine called ov-web; killed with the rig if a test left it running.
class Rig {
public:
    Rig() { define(small({"-S"})); }
    ~Rig() {
        if (const int pid = running_pid(); pid > 0) ::kill(pid, SIGKILL);
    }
    std::vector<std::string> small(std::vector<std::string> extra = {}) const {
        return ov::test::small_qemu(directory(), std::move(extra));
    }
    std::string directory() const { return tree.path("ov-web"); }
    void define(std::vector<std::string> argv) {
        run([&]() -> asio::awaitable<void> {
            ov::MachineDefinition definition;
            definition.name = "ov-web";
            definition.argv = argv;
            co_await machines.define(std::move(definition), limit());
        });
    }
    void run(std::function<asio::awaitable<void>()> body) {
        std::exception_ptr failure;
        runtime.io.restart();
        asio::co_spawn(runtime.io, body(), [&](std::exception_ptr error) { failure = error; });
        runtime.io.run();
        if (failure) std::rethrow_exception(failure);
    }
    MachineState state() {
        MachineState state{};
        run([&]() -> asio::awaitable<void> { state = co_await machines.state("ov-web", limit()); });
        return state;
    }
    /// Empty, or the code and text of the error.
    std::string start() {
        return caught([&]() -> asio::awaitable<void> { co_await machines.start("ov-web", limit()); });
    }
    std::string stop(StopOptions::Way way, std::chrono::milliseconds timeout = 400ms) {
        StopResult result{};
        const StopOptions options{way, timeout};
        const std::string error =
            caught([&]() -> asio::awaitable<void> { result = co_await machines.stop("ov-web", options, limit()); });
        if (!error.empty()) return error;
        return result == StopResult::was_off ? "was off" : result == StopResult::powered_off ? "powered off" : "shut down";
    }
    std::string caught(std::function<asio::awaitable<void>()> body) {
        try {
            run(std::move(body));
            return {};
        } catch (const ov::Error& error) {
            return std::string(to_string(error.code())) + ": " + error.what();
        }
    }
    int running_pid() {
        int pid = 0;
        run([&]() -> asio::awaitable<void> {
            const auto executor = co_await asio::this_coro::executor;
            if (const auto process = ov::QemuProcess::find(executor, directory() + "/qemu.pid")) pid = process->pid();
        });
        return pid;
    }
    static Deadline limit() { return Deadline::unlimited().child(30s); }

    ov::test::TempTree tree;
    ov::Runtime runtime{1};
    std::shared_ptr<ov::test::MemoryCommands> store = std::make_shared<ov::test::MemoryCommands>();
    ov::QemuMachines machines{runtime, store, tree.path()};
};

unsigned mode_of(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

std::string command_line(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a machine goes through its life: defined, started, resumed, stopped, forgotten") {
    if (!has_qemu()) return;
    Rig rig;
    CHECK(rig.state() == MachineState::shut_off);
    CHECK(rig.start() == "");
    CHECK(rig.state() == MachineState::paused);  // -S
    CHECK(mode_of(rig.directory()) == 0700);
    CHECK(rig.start() == "");  // resumes
    CHECK(rig.state() == MachineState::running);
    const int pid = rig.running_pid();
    CHECK(rig.start() == "");  // nothing to do
    CHECK(rig.running_pid() == pid);
    CHECK(rig.stop(StopOptions::Way::force) == "powered off");
    CHECK(rig.state() == MachineState::shut_off);
    CHECK(rig.stop(StopOptions::Way::force) == "was off");
    rig.run([&]() -> asio::awaitable<void> { co_await rig.machines.undefine("ov-web", {}, Rig::limit()); });
    CHECK(rig.state() == MachineState::undefined);
    CHECK(rig.start() == "not_found: ov-web is not defined");
}

TEST_CASE("a guest that ignores its power button is left alone without force, and powered off with it") {
    if (!has_qemu()) return;
    Rig rig;
    rig.define(rig.small());
    REQUIRE(rig.start() == "");
    CHECK(rig.stop(StopOptions::Way::graceful) == "timed_out: ov-web did not shut down within 0 s; --force powers it off");
    CHECK(rig.state() == MachineState::running);
    CHECK(rig.stop(StopOptions::Way::graceful_first) == "powered off");
    CHECK(rig.state() == MachineState::shut_off);
}

TEST_CASE("QEMU that ends at start: its words are in the error and nothing stays") {
    if (!has_qemu()) return;
    struct Row {
        const char* rule;
        std::vector<std::string> extra;
        const char* words;
    };
    const Row rows[] = {
        {"a disk that is not there",
         {"-drive", "file=/nonexistent/disk.qcow2,if=virtio"},
         "Could not open '/nonexistent/disk.qcow2'"},
        {"an unknown device", {"-device", "no-such-device"}, "no-such-device"},
        {"a port that is taken", {"-netdev", "user,id=n0,hostfwd=tcp:256.0.0.1:1-:22"}, "hostfwd"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        Rig rig;
        rig.define(rig.small(row.extra));
        const std::string error = rig.start();
        CHECK(error.starts_with("io: qemu-system-x86_64 ended at start with status 1: "));
        CHECK_MESSAGE(error.find(row.words) != std::string::npos, error);
        CHECK(rig.state() == MachineState::shut_off);
        CHECK_FALSE(std::filesystem::exists(rig.directory() + "/qemu.pid"));
    }
    Rig rig;
    auto argv = rig.small();
    argv.front() = "qemu-system-nothing";
    rig.define(argv);
    CHECK(rig.start().starts_with("not_found: cannot run qemu-system-nothing"));
}

TEST_CASE("a foreign process is never taken for the machine, nor killed") {
    if (!has_qemu()) return;
    Rig rig;
    struct Row {
        const char* rule;
        std::string pidfile;
    };
    const Row rows[] = {
        {"this test itself", std::to_string(::getpid()) + "\n"},
        {"no process", "4194000\n"},
        {"no number", "junk"},
        {"empty", ""},
        {"process 1", "1\n"},
        {"negative", "-5\n"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        rig.tree.write("ov-web/qemu.pid", row.pidfile);
        CHECK(rig.state() == MachineState::shut_off);
        CHECK(rig.stop(StopOptions::Way::force) == "was off");
    }
    // The stale file is in nobody's way.
    CHECK(rig.start() == "");
    CHECK(rig.state() == MachineState::paused);
    // Another machine's pidfile path must not match, though it ends alike.
    rig.tree.write("ov-web2/qemu.pid", std::to_string(rig.running_pid()));
    MachineState other{};
    rig.run([&]() -> asio::awaitable<void> { other = co_await rig.machines.state("ov-web2", Rig::limit()); });
    CHECK(other == MachineState::undefined);
    CHECK(rig.stop(StopOptions::Way::force) == "powered off");
}

TEST_CASE("a machine whose QMP socket another program holds is running, and is not stopped by mistake") {
    if (!has_qemu()) return;
    Rig rig;
    REQUIRE(rig.start() == "");
    rig.run([&]() -> asio::awaitable<void> {
        const auto holder = co_await ov::QmpClient::connect(rig.directory() + "/qmp.sock", Rig::limit());
        const MachineState seen = co_await rig.machines.state("ov-web", Rig::limit());
        CHECK(seen == MachineState::running);
    });
    CHECK(rig.state() == MachineState::paused);
    std::filesystem::remove(rig.directory() + "/qmp.sock");
    CHECK(rig.stop(StopOptions::Way::graceful).starts_with("unreachable: ov-web cannot be asked to shut down"));
    CHECK(rig.stop(StopOptions::Way::force) == "powered off");  // SIGTERM to the verified process
}

TEST_CASE("SMBIOS strings go through files of mode 0400 and are not in the process list") {
    if (!has_qemu()) return;
    Rig rig;
    rig.define(rig.small({"-S", "-smbios", "type=11,value=secret,,word"}));
    REQUIRE(rig.start() == "");
    const std::string words = command_line(rig.running_pid());
    CHECK(words.find("secret") == std::string::npos);
    CHECK(words.find("guest=ov-web") != std::string::npos);
    CHECK(mode_of(rig.directory() + "/smbios.0") == 0400);
    CHECK(rig.tree.read("ov-web/smbios.0") == "secret,word");
    CHECK(rig.stop(StopOptions::Way::force) == "powered off");
    CHECK_FALSE(std::filesystem::exists(rig.directory() + "/smbios.0"));
}

TEST_CASE("a cancelled or late start leaves no process") {
    if (!has_qemu()) return;
    Rig rig;
    for (const auto cut : {1ms, 20ms, 60ms}) {
        CAPTURE(cut.count());
        rig.caught([&]() -> asio::awaitable<void> { co_await rig.machines.start("ov-web", Deadline::unlimited().child(cut)); });
        if (rig.running_pid() != 0) CHECK(rig.stop(StopOptions::Way::force) == "powered off");  // it was quick enough
        CHECK(rig.state() == MachineState::shut_off);
    }
}

TEST_CASE("every machine is listed with its state") {
    if (!has_qemu()) return;
    Rig rig;
    rig.store->save("ov-alpha", {"true"});
    rig.store->save("other", {"true"});
    REQUIRE(rig.start() == "");
    std::vector<ov::MachineRow> rows;
    rig.run([&]() -> asio::awaitable<void> { rows = co_await rig.machines.list(Rig::limit()); });
    CHECK(rows == std::vector<ov::MachineRow>{{"ov-alpha", MachineState::shut_off}, {"ov-web", MachineState::paused}});
    CHECK(rig.caught([&]() -> asio::awaitable<void> { co_await rig.machines.undefine("ov-web", {}, Rig::limit()); }) ==
          "busy: ov-web is running: stop it first");
}

TEST_CASE("QEMU's run states as words") {
    struct Row {
        const char *status, *word;
    };
    const Row rows[] = {{"running", "running"},        {"paused", "paused"},       {"prelaunch", "paused"},
                        {"shutdown", "shutting down"}, {"suspended", "suspended"}, {"guest-panicked", "crashed"},
                        {"internal-error", "crashed"}, {"io-error", "paused"},     {"colo", "unknown"}};
    for (const Row& row : rows) {
        CAPTURE(row.status);
        CHECK(to_string(ov::state_of_qemu(row.status)) == row.word);
    }
}
