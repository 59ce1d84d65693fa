// libvirt's own test driver: real API, real events, no hypervisor. It lives in this process, one state for all connections.
#include "backend/libvirt_machines.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace std::chrono_literals;
using ov::Deadline;
using ov::MachineState;
using ov::StopOptions;
using ov::StopResult;

namespace {

bool has_libvirt() {
    if (!ov::libvirt_is_built_in()) MESSAGE("skipped: built without libvirt");
    return ov::libvirt_is_built_in();
}

class Rig {
public:
    explicit Rig(std::string uri = "test:///default") : machines(ov::make_libvirt_machines(runtime, std::move(uri))) {}
    /// Empty, or code and text of the error.
    std::string run(std::function<asio::awaitable<void>()> body) {
        std::exception_ptr failure;
        runtime.io.restart();
        asio::co_spawn(runtime.io, body(), [&](std::exception_ptr error) { failure = error; });
        runtime.io.run();
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const ov::Error& error) {
            return std::string(to_string(error.code())) + ": " + error.what();
        }
        return {};
    }
    std::string state(const std::string& name) {
        MachineState state{};
        const std::string error = run([&]() -> asio::awaitable<void> { state = co_await machines->state(name, limit()); });
        return error.empty() ? std::string(to_string(state)) : error;
    }
    std::string define(const std::string& name, int mib = 64, bool autostart = false) {
        return run([&]() -> asio::awaitable<void> {
            ov::MachineDefinition definition;
            definition.name = name;
            definition.xml = "<domain type='test'><name>" + name + "</name><memory unit='MiB'>" + std::to_string(mib) +
                             "</memory><os><type>hvm</type></os></domain>";
            definition.autostart = autostart;
            co_await machines->define(std::move(definition), limit());
        });
    }
    std::string start(const std::string& name) {
        return run([&]() -> asio::awaitable<void> { co_await machines->start(name, limit()); });
    }
    std::string stop(const std::string& name, StopOptions::Way way) {
        StopResult result{};
        const StopOptions options{way, 2s};
        const std::string error =
            run([&]() -> asio::awaitable<void> { result = co_await machines->stop(name, options, limit()); });
        if (!error.empty()) return error;
        return result == StopResult::was_off ? "was off" : result == StopResult::powered_off ? "powered off" : "shut down";
    }
    std::string undefine(const std::string& name) {
        return run([&]() -> asio::awaitable<void> { co_await machines->undefine(name, {}, limit()); });
    }
    static Deadline limit() { return Deadline::unlimited().child(20s); }

    ov::Runtime runtime{1};
    std::unique_ptr<ov::MachineBackend> machines;
};

}  // namespace

TEST_CASE("a libvirt domain goes through its life; its end is told by an event") {
    if (!has_libvirt()) return;
    Rig rig;
    const std::string name = "ov-life";
    CHECK(rig.state(name) == "undefined");
    CHECK(rig.start(name) == "not_found: ov-life is not defined");
    CHECK(rig.stop(name, StopOptions::Way::graceful) == "was off");
    CHECK(rig.undefine(name) == "");
    CHECK(rig.define(name) == "");
    CHECK(rig.state(name) == "shut off");
    CHECK(rig.start(name) == "");
    CHECK(rig.start(name) == "");
    CHECK(rig.state(name) == "running");
    CHECK(rig.define(name) == "busy: ov-life is running: stop it first");
    CHECK(rig.undefine(name) == "busy: ov-life is running: stop it first");
    CHECK(rig.stop(name, StopOptions::Way::graceful) == "shut down");
    CHECK(rig.start(name) == "");
    CHECK(rig.stop(name, StopOptions::Way::force) == "powered off");
    CHECK(rig.stop(name, StopOptions::Way::force) == "was off");
    CHECK(rig.undefine(name) == "");
    CHECK(rig.state(name) == "undefined");
}

TEST_CASE("a new definition replaces the old one under its UUID") {
    if (!has_libvirt()) return;
    Rig rig;
    CHECK(rig.define("ov-again", 64) == "");
    CHECK(rig.define("ov-again", 128) == "");
    CHECK(rig.undefine("ov-again") == "");
}

TEST_CASE("only machines of ours are listed, by name") {
    if (!has_libvirt()) return;
    Rig rig;
    REQUIRE(rig.define("ov-b") == "");
    REQUIRE(rig.define("ov-a") == "");
    REQUIRE(rig.start("ov-b") == "");
    std::vector<ov::MachineRow> rows;
    CHECK(rig.run([&]() -> asio::awaitable<void> { rows = co_await rig.machines->list(Rig::limit()); }) == "");
    CHECK(rows == std::vector<ov::MachineRow>{{"ov-a", MachineState::shut_off}, {"ov-b", MachineState::running}});
    CHECK(rig.stop("ov-b", StopOptions::Way::force) == "powered off");
    CHECK(rig.undefine("ov-a") == "");
    CHECK(rig.undefine("ov-b") == "");
}

TEST_CASE("libvirt's refusals keep their words") {
    if (!has_libvirt()) return;
    struct Row {
        const char *rule, *uri, *error;
    };
    const Row rows[] = {
        {"a daemon that is not there", "qemu+unix:///session?socket=/nonexistent/sock",
         "unreachable: qemu+unix:///session?socket=/nonexistent/sock: "},
        {"a scheme that no driver serves", "nothing:///here", "unreachable: nothing:///here: "},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        Rig rig(row.uri);
        const std::string error = rig.state("ov-web");
        CHECK_MESSAGE(error.starts_with(row.error), error);
    }
    Rig rig;
    const std::string error = rig.run([&]() -> asio::awaitable<void> {
        ov::MachineDefinition definition;
        definition.name = "ov-bad";
        definition.xml = "<domain type='test'><name>ov-bad</name></domain>";
        co_await rig.machines->define(std::move(definition), Rig::limit());
    });
    CHECK_MESSAGE(error.find("libvirt refused the definition of ov-bad: ") != std::string::npos, error);
}

TEST_CASE("closing is idempotent and a later call connects again") {
    if (!has_libvirt()) return;
    Rig rig;
    CHECK(rig.state("ov-none") == "undefined");
    for (int i = 0; i < 2; ++i)
        CHECK(rig.run([&]() -> asio::awaitable<void> { co_await rig.machines->close(Rig::limit()); }) == "");
    CHECK(rig.state("ov-none") == "undefined");
}
