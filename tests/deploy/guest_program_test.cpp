// `ov` in a guest: {auto, scp, url, skip} x {absent, older, equal, newer, junk, wrong architecture}, against this machine, or
// against a real one that OV_TEST_GUEST names ("PORT USER KEY KNOWN_HOSTS" on 127.0.0.1; sudo without a password).
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/shell_quote.hpp"
#include "deploy/guest_program.hpp"
#include "exec/ssh_launcher.hpp"
#include "ov_config.hpp"
#include "support/deploy_rig.hpp"

namespace {

using namespace std::chrono_literals;
using ov::Deadline;
using ov::Errc;

Deadline limit() {
    return Deadline::unlimited().child(240s);
}

/// A machine and whether it is a real guest.
struct GuestMachine {
    GuestMachine() : runtime(1), ssh(runtime) {
        const char* given = std::getenv("OV_TEST_GUEST");
        if (given == nullptr || *given == '\0') {
            executor = std::make_unique<ov::RunnerExecutor>(ov::make_local_launcher(runtime.io.get_executor()), runtime);
            return;
        }
        real = true;
        std::istringstream words(given);
        ov::SshDestination to;
        std::string key, hosts;
        words >> to.port >> to.user >> key >> hosts;
        to.host = "127.0.0.1";
        to.name = "guest";
        to.identities = {key};
        to.known_hosts = {hosts};
        const std::string error = run([&]() -> asio::awaitable<void> {
            ov::ReadyOptions patient;
            auto connection = co_await ov::connect_when_ready(ssh, to, std::move(patient), limit());
            auto launcher = std::make_unique<ov::SshLauncher>(std::move(connection), to);
            executor = std::make_unique<ov::RunnerExecutor>(std::move(launcher), runtime);
        });
        REQUIRE(error == "");
    }
    ~GuestMachine() {
        run([&]() -> asio::awaitable<void> { co_await executor->close(limit()); });
    }
    std::string run(std::function<asio::awaitable<void>()> body) {
        try {
            runtime.run_until_done(body());
        } catch (const ov::Error& error) {
            return std::string(to_string(error.code())) + ": " + error.what();
        }
        return {};
    }
    std::string shell(const std::string& script, ov::RunAs as = ov::RunAs::user) {
        std::string out;
        const std::string error = run([&]() -> asio::awaitable<void> {
            ov::Command command;
            command.script = script;
            command.as = as;
            const ov::CommandResult result = co_await executor->run(std::move(command), limit());
            out = result.out;
        });
        REQUIRE(error == "");
        while (!out.empty() && out.back() == '\n') out.pop_back();
        return out;
    }
    /// The command, or the error.
    std::string ensure(const std::string& strategy, const std::string& program) {
        std::string command;
        notes.clear();
        const std::string error = run([&]() -> asio::awaitable<void> {
            ov::GuestProgramRequest request;
            request.strategy = strategy;
            request.version = OV_VERSION;
            request.program = program;
            const ov::EmitEvent emit = [this](const ov::EventBody& body) {
                if (const auto* note = std::get_if<ov::event::Note>(&body)) notes += note->text + "\n";
            };
            command = co_await ov::ensure_guest_program(*executor, std::move(request), limit(), emit);
        });
        return error.empty() ? command : error;
    }

    ov::Runtime runtime;
    ov::SshContext ssh;
    std::unique_ptr<ov::Executor> executor;
    bool real = false;
    std::string notes;
};

/// The program of this build; empty when it was not built.
std::string guest_binary() {
    const char* build = std::getenv("OV_BUILD_DIR");
    const std::string path = build != nullptr ? std::string(build) + "/src/guest/ov-guest" : std::string();
    if (!path.empty() && std::filesystem::exists(path)) return path;
    MESSAGE("skipped: no ov-guest in OV_BUILD_DIR");
    return {};
}

constexpr const char *older = "2020.001.0000", *newer = "2099.001.0000";
const char* const states[] = {"absent", "older", "equal", "newer", "junk", "wrong arch"};

/// A program `ov` for the machine's PATH in that state, as a script that puts it at "$at".
std::string place(const std::string& state) {
    if (state == "absent") return "rm -f \"$at\"";
    if (state == "wrong arch")  // the head of an ELF file of a machine that this one is not
        return "{ printf '\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\363\\0'; head -c 200 /dev/zero; } > \"$at\"; chmod "
               "0755 \"$at\"";
    const std::string says = state == "older" ? older : state == "equal" ? OV_VERSION : state == "newer" ? newer : "bananas";
    return fmt::format("printf '#!/bin/sh\\necho {}\\n' > \"$at\"; chmod 0755 \"$at\"", says);
}

}  // namespace

TEST_CASE("versions: a calendar version is newer by year, day, time; junk is older than any; ours unstamped proves nothing") {
    struct Row {
        const char *ours, *theirs;
        bool newer;
    };
    for (const Row& row : {Row{"2026.144.1443", "2026.144.1442", true}, Row{"2026.144.1443", "2026.144.1443", false},
                           Row{"2026.144.1443", "2026.144.1444", false}, Row{"2026.10.0", "2026.9.2359", true},
                           Row{"2026.144.1443", "unknown", true}, Row{"2026.144.1443", "2026.144", true},
                           Row{"2026.144.1443", "2026.400.1", true}, Row{" 2026.144.1443\n", "2025.366.0", true},
                           Row{"unknown", "2020.1.1", false}, Row{"unknown", "junk", false}, Row{"2026.1.-1", "2020.1.1", false}})
        CHECK_MESSAGE(ov::strictly_newer(row.ours, row.theirs) == row.newer, row.ours << " over " << row.theirs);
}

TEST_CASE("ov in the guest: every strategy with every kind of ov that is there, 24 cells") {
    const std::string program = guest_binary();
    if (program.empty()) return;
    if (::geteuid() != 0 && std::getenv("OV_TEST_GUEST") == nullptr) {
        MESSAGE("skipped: needs root, or a machine in OV_TEST_GUEST");
        return;
    }
    ov::test::DeployRig rig;
    const std::string path = std::getenv("PATH"), bin = (rig.root() / "bin").string();
    std::filesystem::create_directories(bin);
    ::setenv("PATH", (bin + ":" + path).c_str(), 1);
    GuestMachine guest;
    const std::string at = guest.real ? "/usr/local/bin/ov" : bin + "/ov";
    const std::string home = guest.shell("echo $HOME");
    const std::string copy = home + "/.cache/ov/ov-" OV_VERSION "-";
    std::string table = fmt::format("{:<12}{:<12}{:<34}{}\n", "STRATEGY", "GUEST HAS", "COMMAND", "SAID");
    for (const std::string strategy : {"auto", "scp", "url", "skip"})
        for (const std::string state : states) {
            guest.shell("rm -rf ~/.cache/ov");
            guest.shell("at=" + ov::shell_quote(at) + "\n" + place(state), ov::RunAs::root);
            const std::string before = guest.shell("sha256sum < " + at + " 2>/dev/null || true");
            const std::string command = guest.ensure(strategy, program);
            const std::string said = guest.notes.substr(0, guest.notes.find('\n'));
            const std::string cell = strategy + " x " + state;
            const bool copies = strategy == "auto" || strategy == "scp";
            // A build that does not know its own version takes any.
            const bool good =
                state == "equal" || state == "newer" || (state == "older" && !ov::strictly_newer(OV_VERSION, older));
            // What the guest has in PATH stays as it was, in every cell.
            CHECK_MESSAGE(guest.shell("sha256sum < " + at + " 2>/dev/null || true") == before, cell);
            if (copies && good) CHECK_MESSAGE(command == "ov", cell << ": " << command);
            if (copies && !good) {
                CHECK_MESSAGE(command.starts_with(copy), cell << ": " << command);
                CHECK_MESSAGE(guest.shell(command + " version") == OV_VERSION, cell);
                CHECK_MESSAGE(guest.shell("stat -c %a ~/.cache/ov " + command) == "700\n755", cell);
                // Once more: nothing travels.
                CHECK_MESSAGE(guest.ensure(strategy, program) == command, cell);
                CHECK_MESSAGE(guest.notes.find("is there: ") != std::string::npos, cell << ": " << guest.notes);
            }
            if (!copies && state == "absent")
                CHECK_MESSAGE(command == "step_failed: ov binary not present in guest (ov_install.strategy: " + strategy + ")",
                              cell);
            if (!copies && state == "wrong arch")
                CHECK_MESSAGE(
                    command.starts_with("step_failed: the ov of the guest does not run (ov_install.strategy: " + strategy),
                    cell << ": " << command);
            if (!copies && state != "absent" && state != "wrong arch") CHECK_MESSAGE(command == "ov", cell << ": " << command);
            if (!copies) CHECK_MESSAGE(guest.shell("ls ~/.cache/ov 2>/dev/null || true") == "", cell);
            const std::size_t colon = command.find(": ");
            table += fmt::format("{:<12}{:<12}{:<34.33}{}\n", strategy, state,
                                 command.starts_with(home) ? "~" + command.substr(home.size()) : command.substr(0, colon),
                                 colon == std::string::npos ? said : command.substr(colon + 2));
        }
    guest.shell("rm -rf ~/.cache/ov; rm -f " + at, ov::RunAs::root);
    ::setenv("PATH", path.c_str(), 1);
    if (guest.real) MESSAGE("in a guest:\n" << table);
}

TEST_CASE("ov in the guest: a copy that was torn is sent again, an older one goes, another architecture is said") {
    const std::string program = guest_binary();
    if (program.empty()) return;
    ov::test::DeployRig rig;
    GuestMachine guest;
    if (guest.real) return;
    const std::string path = std::getenv("PATH");
    const std::string command = guest.ensure("auto", program);
    REQUIRE(command.find("/.cache/ov/ov-") != std::string::npos);
    guest.shell("truncate -s 1000 " + command + "; cp " + command + " ~/.cache/ov/ov-2020.1.1-abcdef");
    CHECK(guest.ensure("auto", program) == command);
    CHECK(guest.shell(command + " version") == OV_VERSION);
    CHECK(guest.shell("ls ~/.cache/ov | wc -l") == "1");
    const std::string foreign = (rig.root() / "foreign").string();
    std::ofstream(foreign, std::ios::binary) << std::string(
                                                    "\x7f"
                                                    "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\363\0",
                                                    20)
                                             << std::string(100, '\0');
    const std::string error = guest.ensure("scp", foreign);
    CHECK_MESSAGE(error.find("is for riscv64, the guest is ") != std::string::npos, error);
}
