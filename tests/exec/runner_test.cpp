// The runner and the transfers over local processes: the protocol is the same over SSH.
#include "exec/runner_executor.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "async/event.hpp"
#include "async/task_group.hpp"
#include "base/sha256.hpp"
#include "exec/local_launcher.hpp"
#include "support/engine.hpp"
#include "support/run_loop.hpp"

using namespace std::chrono_literals;
using ov::Command;
using ov::Deadline;
using ov::Errc;

namespace {

std::unique_ptr<ov::RunnerExecutor> local(ov::Runtime& runtime) {
    return std::make_unique<ov::RunnerExecutor>(ov::make_local_launcher(runtime.io.get_executor()), runtime);
}

Command command(std::string script, std::chrono::seconds limit = 20s) {
    Command result;
    result.script = std::move(script);
    result.limit = limit;
    result.label = "step";
    return result;
}

std::string slurp(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct TemporaryDirectory {
    TemporaryDirectory() {
        std::string pattern = "/tmp/ov-test-XXXXXX";
        path = ::mkdtemp(pattern.data());
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path); }
    std::string path;
};

bool alive_with(const std::string& word) {
    return std::system(("pgrep -f '[s]leep " + word + "' >/dev/null").c_str()) == 0;
}

}  // namespace

TEST_CASE("a step's streams, status and surroundings are its own") {
    struct Row {
        const char *name, *script;
        int status;
        const char *out, *err;
    };
    const Row rows[] = {
        {"both streams", "echo out; echo err >&2", 0, "out\n", "err\n"},
        {"status", "exit 7", 7, "", ""},
        {"no last newline", "printf abc; printf def >&2", 0, "abc", "def"},
        {"silence", ":", 0, "", ""},
        {"empty script", "", 0, "", ""},
        {"stdin is empty", "cat; echo done", 0, "done\n", ""},
        {"record mark in the output", "printf '\\036ov-end x 1 0\\n'", 0, "\x1eov-end x 1 0\n", ""},
        {"quotes and newlines", "x='a\nb'; printf '%s' \"$x\"", 0, "a\nb", ""},
        {"UTF-8", "printf 'gr\xc3\xbc\xc3\x9f'", 0, "gr\xc3\xbc\xc3\x9f", ""},
        {"syntax error", "if then", 2, "", nullptr},
        {"set -e", "set -e; false; echo no", 1, "", ""},
        {"killed by a signal", "kill -9 $BASHPID", 137, "", nullptr},
        {"state does not leak, part 1", "leak=1; cd /; umask 077", 0, "", ""},
        {"state does not leak, part 2", "echo ${leak-none} $(umask)", 0, "none 0022\n", ""},
        {"the runner's secrets are hidden", "echo \"${ov__nonce-hidden}\"", 0, "hidden\n", ""},
        {"closed streams", "exec >&- 2>&-; exit 3", 3, "", ""},
    };
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const auto executor = local(runtime);
        const Deadline deadline = Deadline::unlimited().child(60s);
        ::umask(022);
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto result = co_await executor->run(command(row.script), deadline);
            CHECK(result.status == row.status);
            CHECK(result.out == row.out);
            if (row.err != nullptr) CHECK(result.err == row.err);
        }
        co_await executor->close(deadline);
    });
}

TEST_CASE("persistent commands serve all later ones; steps are numbered for the journal") {
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const TemporaryDirectory place;
        const auto executor = local(runtime);
        const Deadline deadline = Deadline::unlimited().child(60s);
        Command library =
            command("greet() { echo hello $1; }; ov_journal_result() { printf '%s %s %s\\n' \"$ov_record\" $1 $2 >>" +
                    place.path + "/journal; }");
        library.persistent = true;
        co_await executor->run(library, deadline);
        const auto greeting = co_await executor->run(command("greet you"), deadline);
        CHECK(greeting.out == "hello you\n");
        Command good = command("true"), bad = command("exit 4");
        good.record = "\"seq\":1";
        bad.record = "\"seq\":2";
        co_await executor->run(good, deadline);
        co_await executor->run(bad, deadline);
        CHECK(slurp(place.path + "/journal") == "\"seq\":1 0 ok\n\"seq\":2 4 failed\n");
        co_await executor->close(deadline);
    });
}

TEST_CASE("pipelined commands run in order and keep their output apart") {
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const auto executor = local(runtime);
        const Deadline deadline = Deadline::unlimited().child(60s);
        co_await executor->run(command(":"), deadline);
        std::vector<std::string> outputs(200);
        auto one = [&](int i) -> asio::awaitable<void> {
            const auto result = co_await executor->run(command("echo " + std::to_string(i)), deadline);
            outputs[static_cast<std::size_t>(i)] = result.out;
        };
        auto body = [&](ov::TaskGroup& group) -> asio::awaitable<void> {
            for (int i = 0; i < 200; ++i) group.spawn(one(i));
            co_return;
        };
        co_await ov::with_task_group(deadline, body);
        for (int i = 0; i < 200; ++i) CHECK(outputs[static_cast<std::size_t>(i)] == std::to_string(i) + "\n");
        co_await executor->close(deadline);
    });
}

TEST_CASE("large scripts and large outputs on both streams arrive whole") {
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const auto executor = local(runtime);
        const Deadline deadline = Deadline::unlimited().child(60s);
        const std::string big(300000, 'x');
        const auto echo = co_await executor->run(command("x='" + big + "'; printf %s \"$x\""), deadline);
        CHECK(echo.out == big);
        const auto flood = co_await executor->run(
            command("for i in {1..3}; do head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; done"), deadline);
        CHECK(flood.out.size() == 3000000);
        CHECK(flood.err.size() == 3000000);
        co_await executor->close(deadline);
    });
}

TEST_CASE("a script in the runner itself takes no process, is journaled, and what it waits for can be ended") {
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const TemporaryDirectory place;
        const auto executor = local(runtime);
        const Deadline root = Deadline::unlimited().child(60s);
        Command library = command("worker=$BASHPID; ov_journal_result() { printf '%s %s %s\\n' \"$ov_record\" $1 $2 >>" +
                                  place.path + "/journal; }");
        library.persistent = true;
        co_await executor->run(library, root);
        Command light = command("[[ $BASHPID == $worker ]] && echo same");
        light.in_runner = true;
        light.record = "\"seq\":1";
        const auto same = co_await executor->run(light, root);
        CHECK(same.out == "same\n");
        const std::string mark = "62" + std::to_string(::getpid());
        Command hanging = command("sleep " + mark);
        hanging.in_runner = true;
        hanging.record = "\"seq\":2";
        const auto start = Deadline::Clock::now();
        const Errc code = co_await ov::test::code_of(executor->run(hanging, root.child(500ms)));
        CHECK(code == Errc::timed_out);
        CHECK(Deadline::Clock::now() - start < 2s);
        const auto next = co_await executor->run(command("echo still here"), root);
        CHECK(next.out == "still here\n");
        CHECK_FALSE(alive_with(mark));
        CHECK(slurp(place.path + "/journal") == "\"seq\":1 0 ok\n\"seq\":2 143 cancelled\n");
        // The news of the kill is read inside the script's own function: its IFS must not take it apart.
        Command odd = command("ov_odd() { local IFS=; sleep " + mark + "; }; ov_odd");
        odd.in_runner = true;
        odd.record = "\"seq\":3";
        co_await ov::test::code_of(executor->run(odd, root.child(500ms)));
        co_await executor->run(command("true"), root);
        CHECK(slurp(place.path + "/journal").ends_with("\"seq\":3 143 cancelled\n"));
        co_await executor->close(root);
    });
}

TEST_CASE("a variable of the runner gets its bytes without being parsed") {
    std::string all;
    for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
    std::vector<std::string> values = {"", "x", "$(false) `id` $HOME \\ ' \"", "line\n", "\n\n", all};
    values.emplace_back(300000, 'y');
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const auto executor = local(runtime);
        const Deadline deadline = Deadline::unlimited().child(60s);
        Command declare = command("declare -gA kept");
        declare.persistent = true;
        co_await executor->run(declare, deadline);
        for (const char* variable : {"plain_1", "kept[/run/ov.1/copy-2_a]"}) {
            CAPTURE(variable);
            for (const std::string& value : values) {
                Command set = command(value);
                set.persistent = true;
                set.variable = variable;
                const auto stored = co_await executor->run(set, deadline);
                CHECK(stored.status == 0);
                CHECK(stored.out.empty());
                const auto shown = co_await executor->run(command("printf %s \"${" + std::string(variable) + "}\""), deadline);
                CHECK(shown.out == value);
            }
        }
        for (const char* variable : {"a b", "a[$(id)]", "a[]", "[b]", "a[b", "a;b", "a[b]c]"}) {
            CAPTURE(variable);
            Command set = command("value");
            set.persistent = true;
            set.variable = variable;
            const Errc code = co_await ov::test::code_of(executor->run(set, deadline));
            CHECK(code == Errc::internal);
        }
        const auto after = co_await executor->run(command("echo \"<${kept[/run/ov.1/copy-2_a]+there}>\""), deadline);
        CHECK(after.out == "<there>\n");
        co_await executor->close(deadline);
    });
}

TEST_CASE("cancelling ends the whole process tree of the step, and the runner goes on") {
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const auto executor = local(runtime);
        const Deadline root = Deadline::unlimited();
        const std::string mark = "61" + std::to_string(::getpid());
        const Deadline cut = root.child(500ms);
        const auto start = Deadline::Clock::now();
        const Errc code = co_await ov::test::code_of(
            executor->run(command("bash -c 'bash -c \"sleep " + mark + "\" & setsid sleep " + mark + "0 & wait'"), cut));
        CHECK(code == Errc::timed_out);
        CHECK(Deadline::Clock::now() - start < 2s);
        const auto next = co_await executor->run(command("echo still here"), root);
        CHECK(next.out == "still here\n");
        co_await ov::sleep_for(1500ms, root);
        CHECK_FALSE(alive_with(mark));
        co_await executor->close(root.child(2s));
    });
}

TEST_CASE("commands queued behind a cancelled one do not run") {
    const TemporaryDirectory place;
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const auto executor = local(runtime);
        const Deadline root = Deadline::unlimited();
        co_await executor->run(command(":"), root);
        const Deadline cut = root.child(300ms);
        auto body = [&](ov::TaskGroup& group) -> asio::awaitable<void> {
            auto slow = [&]() -> asio::awaitable<void> { co_await executor->run(command("sleep 30"), cut); };
            auto queued = [&]() -> asio::awaitable<void> {
                co_await executor->run(command("touch " + place.path + "/ran"), cut);
            };
            group.spawn(slow());
            group.spawn(queued());
            co_await group.join();
        };
        const Errc code = co_await ov::test::code_of(ov::with_task_group(root, body, ov::OnFailure::let_finish));
        CHECK(code == Errc::timed_out);
        co_await executor->run(command(":"), root);
        CHECK_FALSE(std::filesystem::exists(place.path + "/ran"));
        co_await executor->close(root.child(2s));
    });
}

TEST_CASE("a step over its own limit is ended and named") {
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const auto executor = local(runtime);
        const Deadline root = Deadline::unlimited();
        std::string message;
        const Errc code = co_await ov::test::code_of(executor->run(command("sleep 30", 1s), root), &message);
        CHECK(code == Errc::timed_out);
        CHECK(message.find("limit of 1 s") != std::string::npos);
        co_await executor->close(root.child(2s));
    });
}

TEST_CASE("no end record, no success: a runner that dies loses its step") {
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const auto executor = local(runtime);
        const Deadline root = Deadline::unlimited().child(20s);
        std::string message;
        const Errc code = co_await ov::test::code_of(
            executor->run(command("read -r _ _ _ worker _ </proc/$BASHPID/stat; kill -9 $worker $$"), root), &message);
        CHECK(code == Errc::transport_lost);
        CHECK(message.find("step") != std::string::npos);
        co_await executor->close(root.child(2s));
    });
}

TEST_CASE("a daemon that keeps the step's output open does not hold the step") {
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const auto executor = local(runtime);
        const Deadline root = Deadline::unlimited().child(20s);
        const auto result = co_await executor->run(command("(setsid bash -c 'sleep 2; echo late') & echo started"), root);
        CHECK(result.out == "started\n");
        co_await ov::sleep_for(10ms, root);
        const auto next = co_await executor->run(command("echo next"), root);
        CHECK(next.out == "next\n");
        co_await executor->close(root.child(2s));
    });
}

TEST_CASE("uploads arrive byte for byte with mode, parents and an atomic rename; downloads give them back") {
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const TemporaryDirectory place;
        const auto executor = local(runtime);
        const Deadline root = Deadline::unlimited().child(60s);
        std::string binary;
        for (int i = 0; i < 700000; ++i) binary += static_cast<char>(i * 31 >> 3);
        struct Row {
            const char* name;
            std::string content;
            const char* path;
            unsigned mode;
        };
        const Row rows[] = {
            {"empty", "", "/empty", 0644},
            {"binary, several chunks", binary, "/deep/er/bin ary", 0600},
            {"awkward name", "x", "/it's $HOME \"quoted\"\nname", 04755},
            {"replaces", "new", "/empty", 0640},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            ov::PutTarget target;
            target.path = place.path + row.path;
            target.mode = row.mode;
            co_await executor->put(ov::bytes_of(row.content), target, root);
            CHECK(slurp(target.path) == row.content);
            struct stat facts {};
            REQUIRE(::stat(target.path.c_str(), &facts) == 0);
            CHECK((facts.st_mode & 07777) == row.mode);
            std::string back;
            auto sink = [&back](std::string_view bytes) { back += bytes; };
            co_await executor->get(target.path, ov::RunAs::user, sink, root);
            CHECK(back == row.content);
        }
        const Errc missing = co_await ov::test::code_of(executor->get(
            place.path + "/none", ov::RunAs::user, [](std::string_view) {}, root));
        CHECK(missing == Errc::not_found);
        ov::PutTarget wrong;
        wrong.path = place.path + "/empty";
        wrong.sha256 = std::string(64, '0');
        const Errc refused = co_await ov::test::code_of(executor->put(ov::bytes_of("other"), wrong, root));
        CHECK(refused == Errc::io);
        CHECK(slurp(place.path + "/empty") == "new");
        int left_over = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(place.path))
            if (entry.path().filename().string().starts_with(".ov-put")) ++left_over;
        CHECK(left_over == 0);
        co_await executor->close(root);
    });
}

TEST_CASE("an executor may be destroyed after any number of loop steps") {
    auto body = []() -> asio::awaitable<void> {
        const auto io = co_await asio::this_coro::executor;
        auto launcher = ov::make_local_launcher(io);
        auto process =
            co_await launcher->launch("exec bash --noprofile --norc", ov::RunAs::user, Deadline::unlimited().child(5s));
        auto runner = co_await ov::Runner::start(std::move(process), "local", ov::RunAs::user, Deadline::unlimited().child(5s));
        co_await runner->run(command("echo hi"), Deadline::unlimited().child(5s), {});
        co_await runner->close(Deadline::unlimited().child(5s));
    };
    CHECK(ov::test::stop_after_each_step(body) < 10000);
}

namespace {

/// Two chunks; the upload's file is removed between them, as by a runner that takes its run directory along.
class RemovedOnTheWay final : public ov::ByteSource {
public:
    RemovedOnTheWay(std::string directory, bool& came_back) : directory_(std::move(directory)), came_back_(came_back) {}
    asio::awaitable<std::string> next(Deadline deadline) override {
        const int turn = ++turn_;
        if (turn > 1) co_await ov::sleep_for(300ms, deadline);  // the chunk before is written
        if (turn == 2)
            for (const auto& file : std::filesystem::directory_iterator(directory_)) std::filesystem::remove(file);
        if (turn == 3) came_back_ = !std::filesystem::is_empty(directory_);
        co_return turn == 3 ? std::string() : std::string(1000, 'x');
    }

private:
    std::string directory_;
    bool& came_back_;
    int turn_ = 0;
};

}  // namespace

TEST_CASE("the file of an upload that was removed on the way does not come back") {
    const TemporaryDirectory directory;
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const Deadline deadline = Deadline::unlimited().child(20s);
        const auto executor = local(runtime);
        bool came_back = true;
        auto source = std::make_unique<RemovedOnTheWay>(directory.path, came_back);
        ov::PutTarget target;
        target.path = directory.path + "/file";
        const Errc lost = co_await ov::test::code_of(executor->put(std::move(source), target, deadline));
        CHECK(lost == Errc::io);
        CHECK_FALSE(came_back);
        co_await executor->close(deadline);
    });
}
