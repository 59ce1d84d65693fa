#include "async/process.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/run_loop.hpp"

using namespace std::chrono_literals;
using ov::Deadline;

TEST_CASE("run_process gives both streams and the status, and feeds the input") {
    struct Row {
        const char* script;
        const char* input;
        int status;
        const char *out, *err;
    };
    const Row rows[] = {
        {"echo out; echo err >&2; exit 3", "", 3, "out\n", "err\n"},
        {"cat", "fed", 0, "fed", ""},
        {"kill -TERM $$", "", 143, "", ""},
        {"exec 1>&- 2>&-; sleep 0.05; exit 4", "", 4, "", ""},
        {"exit 0", "never read", 0, "", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.script);
        ov::test::run([&row]() -> asio::awaitable<void> {
            ov::ProcessOptions options;
            options.argv = {"sh", "-c", row.script};
            const auto result = co_await ov::run_process(options, Deadline::unlimited().child(10s), row.input);
            CHECK(result.status == row.status);
            CHECK(result.out == row.out);
            CHECK(result.err == row.err);
        });
    }
}

TEST_CASE("a missing program is an error that names it") {
    ov::test::run([]() -> asio::awaitable<void> {
        ov::ProcessOptions options;
        options.argv = {"no-such-program-here"};
        std::string message;
        try {
            co_await ov::run_process(options, Deadline::unlimited());
        } catch (const ov::Error& error) {
            CHECK(error.code() == ov::Errc::not_found);
            message = error.what();
        }
        CHECK(message.find("no-such-program-here") != std::string::npos);
    });
}

TEST_CASE("the deadline ends the whole process group, grandchildren included") {
    const std::string marker = "/tmp/ov-process-test-" + std::to_string(::getpid());
    ov::test::run([&marker]() -> asio::awaitable<void> {
        ov::ProcessOptions options;
        options.argv = {"sh", "-c", "sh -c 'echo $$ > " + marker + "; sleep 600' & wait"};
        ov::Errc code{};
        try {
            co_await ov::run_process(options, Deadline::unlimited().child(300ms));
        } catch (const ov::Error& error) {
            code = error.code();
        }
        CHECK(code == ov::Errc::timed_out);
    });
    std::ifstream file(marker);
    int pid = 0;
    file >> pid;
    REQUIRE(pid > 0);
    bool gone = false;
    for (int i = 0; i < 100 && !gone; ++i) {
        std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
        std::string word, name, state;
        gone = !(stat >> word >> name >> state) || state == "Z";
        if (!gone) ::usleep(10000);
    }
    CHECK(gone);
    ::unlink(marker.c_str());
}

TEST_CASE("a process of another user, which may not be signalled, is said and not waited for") {
    if (::geteuid() != 0) {
        MESSAGE("skipped: only root can start one");
        return;
    }
    constexpr uid_t nobody = 65534;
    std::string message;
    pid_t pid = 0;
    const auto start = Deadline::Clock::now();
    ov::test::run([&]() -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        ov::ProcessOptions options;
        options.argv = {"sleep", "30"};
        options.out = options.err = ov::Redirect::null;
        ov::Process process = ov::Process::spawn(executor, std::move(options));
        pid = process.pid();
        REQUIRE(::setresuid(nobody, nobody, 0) == 0);
        try {
            co_await process.wait(Deadline::unlimited().child(200ms));
        } catch (const ov::Error& error) {
            message = error.what();
        }
    });
    REQUIRE(::setresuid(0, 0, 0) == 0);
    CHECK(message.find("sleep (process " + std::to_string(pid) + ") was to end, but runs as another user") == 0);
    CHECK(Deadline::Clock::now() - start < 10s);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

TEST_CASE("descriptors of this process do not reach the child") {
    const int extra = ::open("/dev/null", O_RDONLY);
    ov::test::run([]() -> asio::awaitable<void> {
        ov::ProcessOptions options;
        options.argv = {"sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"};
        const auto result = co_await ov::run_process(options, Deadline::unlimited().child(10s));
        CHECK(result.out == "0 1 2 3 ");  // 3 is ls reading the directory
    });
    ::close(extra);
}

TEST_CASE("a process may be destroyed after any number of loop steps") {
    CHECK(ov::test::stop_after_each_step([]() -> asio::awaitable<void> {
              ov::ProcessOptions options;
              options.argv = {"true"};
              co_await ov::run_process(options, Deadline::unlimited().child(5s));
          }) < 10000);
}
