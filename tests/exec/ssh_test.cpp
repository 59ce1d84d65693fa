// Against a real sshd on a loopback port.
#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "exec/runner_executor.hpp"
#include "exec/ssh_launcher.hpp"
#include "support/engine.hpp"
#include "support/test_sshd.hpp"
#include "support/upstream_leak.hpp"

using namespace std::chrono_literals;
using ov::Command;
using ov::Deadline;
using ov::Errc;

namespace {

asio::awaitable<std::unique_ptr<ov::RunnerExecutor>> connected(ov::SshContext& context, ov::SshDestination to,
                                                               Deadline deadline) {
    auto connection = co_await ov::connect_once(context, to, {}, {}, deadline);
    auto launcher = std::make_unique<ov::SshLauncher>(std::move(connection), to);
    co_return std::make_unique<ov::RunnerExecutor>(std::move(launcher), context.runtime);
}

asio::awaitable<void> connect_only(ov::SshContext& context, ov::SshDestination to, Deadline deadline) {
    auto connection = co_await ov::connect_once(context, to, {}, {}, deadline);
    co_await connection->close(deadline);
}

Command command(std::string script) {
    Command result;
    result.script = std::move(script);
    result.label = "step";
    return result;
}

#define NEED_SSHD()                                        \
    if (!ov::test::TestSshd::available()) {                \
        MESSAGE("skipped: sshd or ssh-keygen is missing"); \
        return;                                            \
    }

}  // namespace

TEST_CASE("over a real sshd: pin, login, run, upload, download, close") {
    NEED_SSHD();
    ov::test::TestSshd sshd;
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const Deadline deadline = Deadline::unlimited().child(60s);
        ov::SshContext context(runtime);
        ov::ReadyOptions options;
        std::vector<std::string> notes;
        options.note = [&](const std::string& note) { notes.push_back(note); };
        auto connection = co_await ov::connect_when_ready(context, sshd.destination(), options, deadline);
        REQUIRE(notes.size() == 1);
        CHECK(notes[0].find("SHA256:") != std::string::npos);
        auto launcher = std::make_unique<ov::SshLauncher>(std::move(connection), sshd.destination());
        ov::RunnerExecutor executor(std::move(launcher), runtime);
        const auto result = co_await executor.run(command("echo out; echo err >&2; exit 5"), deadline);
        CHECK(result.status == 5);
        CHECK(result.out == "out\n");
        CHECK(result.err == "err\n");
        ov::PutTarget target;
        target.path = sshd.directory() + "/up/file";
        const std::string content(3000000, 'z');
        co_await executor.put(ov::bytes_of(content), target, deadline);
        std::string back;
        auto sink = [&back](std::string_view bytes) { back += bytes; };
        co_await executor.get(target.path, ov::RunAs::user, sink, deadline);
        CHECK(back == content);
        co_await executor.close(deadline);
        // A home without any state yet: the folders are made, for their owner alone.
        ov::SshDestination fresh = sshd.destination();
        fresh.known_hosts = {sshd.directory() + "/share/ov/vm/m/known_hosts"};
        co_await connect_only(context, fresh, deadline);
        CHECK(std::filesystem::file_size(fresh.known_hosts.front()) > 0);
        const auto rights = std::filesystem::status(sshd.directory() + "/share/ov").permissions();
        CHECK((rights & std::filesystem::perms::all) == std::filesystem::perms::owner_all);
        // The pinned key is now required, and matches.
        ov::SshDestination strict = sshd.destination();
        strict.policy = ov::HostKeyPolicy::strict;
        co_await connect_only(context, strict, deadline);
    });
}

TEST_CASE("each reason for not getting in is its own error") {
    NEED_SSHD();
    ov::test::TestSshd sshd;
    const int closed = ov::test::TestSshd::free_port();
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const Deadline deadline = Deadline::unlimited().child(60s);
        ov::SshContext context(runtime);
        std::string message;
        Errc code{};
        auto to = sshd.destination();

        to.policy = ov::HostKeyPolicy::strict;
        code = co_await ov::test::code_of(connect_only(context, to, deadline), &message);
        CHECK(code == Errc::host_key);
        CHECK(message.find("no host key") != std::string::npos);

        to = sshd.destination();
        to.identities = {sshd.directory() + "/other", sshd.directory() + "/absent"};
        code = co_await ov::test::code_of(connect_only(context, to, deadline), &message);
        CHECK(code == Errc::auth_failed);
        CHECK(message.find("/other: refused") != std::string::npos);
        CHECK(message.find("/absent: not there") != std::string::npos);

        to = sshd.destination();
        to.port = closed;
        code = co_await ov::test::code_of(connect_only(context, to, deadline), &message);
        CHECK(code == Errc::unreachable);
        CHECK(message.find("refused") != std::string::npos);

        to = sshd.destination();
        std::ofstream(sshd.directory() + "/changed")
            << "[127.0.0.1]:" << sshd.port() << " ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA\n";
        to.known_hosts = {sshd.directory() + "/changed"};
        code = co_await ov::test::code_of(connect_only(context, to, deadline), &message);
        CHECK(code == Errc::host_key);
        CHECK(message.find("/changed:1") != std::string::npos);
        CHECK(message.find("ssh-keygen -R") != std::string::npos);
    });
}

TEST_CASE("a port that is silent ends the banner wait, and cancelling ends it at once") {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener, 4) == 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        ov::SshContext context(runtime);
        ov::SshDestination to;
        to.name = to.host = "127.0.0.1";
        to.port = ntohs(address.sin_port);
        to.user = "x";
        std::string message;
        Errc code{};
        code = co_await ov::test::code_of(connect_only(context, to, Deadline::unlimited()), &message);
        CHECK(code == Errc::unreachable);
        CHECK(message.find("no SSH banner") != std::string::npos);
        const Deadline cancelled = Deadline::unlimited();
        auto later = [cancelled]() -> asio::awaitable<void> {
            co_await ov::sleep_for(100ms, Deadline::unlimited());
            cancelled.cancel();
        };
        asio::co_spawn(runtime.io, later(), [](std::exception_ptr) {});
        const auto start = Deadline::Clock::now();
        code = co_await ov::test::code_of(connect_only(context, to, cancelled));
        CHECK(code == Errc::cancelled);
        CHECK(Deadline::Clock::now() - start < 1s);
    });
    ::close(listener);
}

TEST_CASE("a connection that is cut loses the step, never reports success") {
    NEED_SSHD();
    ov::test::TestSshd sshd;
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const Deadline deadline = Deadline::unlimited().child(60s);
        ov::SshContext context(runtime);
        auto executor = co_await connected(context, sshd.destination(), deadline);
        co_await executor->run(command(":"), deadline);
        auto later = [&sshd]() -> asio::awaitable<void> {
            co_await ov::sleep_for(300ms, Deadline::unlimited());
            sshd.cut();
        };
        asio::co_spawn(runtime.io, later(), [](std::exception_ptr) {});
        std::string message;
        Errc code{};
        code = co_await ov::test::code_of(executor->run(command("sleep 30"), deadline), &message);
        CHECK(code == Errc::transport_lost);
        CHECK(message.find("step") != std::string::npos);
        CHECK(message.find("unknown") != std::string::npos);
        co_await executor->close(deadline.child(2s));
    });
}

TEST_CASE("sshd appears late: the ladder gets in soon after, on one connection") {
    NEED_SSHD();
    ov::test::TestSshd sshd;
    sshd.stop();
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        ov::SshContext context(runtime);
        auto later = [&sshd]() -> asio::awaitable<void> {
            co_await ov::sleep_for(1200ms, Deadline::unlimited());
            sshd.start();
        };
        asio::co_spawn(runtime.io, later(), [](std::exception_ptr) {});
        int tries = 0;
        ov::ReadyOptions options;
        options.on_retry = [&](int, const ov::Error&) { ++tries; };
        const auto start = Deadline::Clock::now();
        auto connection = co_await ov::connect_when_ready(context, sshd.destination(), options, Deadline::unlimited().child(30s));
        CHECK(tries > 1);
        CHECK(Deadline::Clock::now() - start < 1200ms + 5s);
        co_await connection->close(Deadline::unlimited().child(2s));

        const Errc code = co_await ov::test::code_of([](ov::SshContext& shared, ov::SshDestination to) -> asio::awaitable<void> {
            to.port = ov::test::TestSshd::free_port();
            co_await ov::connect_when_ready(shared, to, {}, Deadline::unlimited().child(500ms));
        }(context, sshd.destination()));
        CHECK(code == Errc::unreachable);
    });
}

TEST_CASE("rekeying every few packets, small windows and a server that allows one channel are survived") {
    NEED_SSHD();
    struct Row {
        const char *name, *config;
    };
    const Row rows[] = {{"rekey", "RekeyLimit 256K\n"}, {"one channel", "MaxSessions 1\n"}};
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const ov::test::UpstreamLeak host_key;  // libssh2 1.10 forgets the old one, 51 bytes, at every re-exchange
        ov::test::TestSshd sshd(row.config);
        ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
            const Deadline deadline = Deadline::unlimited().child(60s);
            ov::SshContext context(runtime);
            auto executor = co_await connected(context, sshd.destination(), deadline);
            Command library = command("say() { echo lib; }; echo x >>" + sshd.directory() + "/told");
            library.persistent = true;
            co_await executor->run(library, deadline);
            ov::PutTarget target;
            target.path = sshd.directory() + "/file";
            const std::string content(2000000, 'q');
            co_await executor->put(ov::bytes_of(content), target, deadline);
            const auto flood = co_await executor->run(command("say; cat " + target.path), deadline);
            CHECK(flood.out == "lib\n" + content);
            const auto again = co_await executor->run(command("say; exit 3"), deadline);
            CHECK(again.status == 3);
            // What was told for good ends with the command that says so.
            Command end = command("say");
            end.last = true;
            const auto ended = co_await executor->run(end, deadline);
            CHECK(ended.out == "lib\n");
            const std::string count = "cat " + sshd.directory() + "/told";
            const auto told = co_await executor->run(command(count), deadline);
            const auto later = co_await executor->run(command(count), deadline);
            CHECK(told.out == later.out);
            co_await executor->close(deadline);
        });
    }
}

TEST_CASE("through a jump host and through a ProxyCommand") {
    NEED_SSHD();
    ov::test::TestSshd outer, inner;
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        const Deadline deadline = Deadline::unlimited().child(60s);
        ov::SshContext context(runtime);
        auto jumped = inner.destination();
        jumped.jumps = {outer.destination()};
        auto executor = co_await connected(context, jumped, deadline);
        const std::string content(1000000, 'j');
        ov::PutTarget target;
        target.path = inner.directory() + "/file";
        co_await executor->put(ov::bytes_of(content), target, deadline);
        const auto result = co_await executor->run(command("wc -c <" + target.path), deadline);
        CHECK(result.out == "1000000\n");
        co_await executor->close(deadline);
        CHECK(outer.log().size() + inner.log().size() > 0);

        auto proxied = inner.destination();
        proxied.proxy_command = "bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3'";
        auto second = co_await connected(context, proxied, deadline);
        const auto hello = co_await second->run(command("echo hello"), deadline);
        CHECK(hello.out == "hello\n");
        co_await second->close(deadline);
    });
}

TEST_CASE("an agent signs where no key file is given") {
    NEED_SSHD();
    ov::test::TestSshd sshd;
    const std::string socket = sshd.directory() + "/agent";
    const std::string start = "ssh-agent -a " + socket + " >" + sshd.directory() + "/agent.out && SSH_AUTH_SOCK=" + socket +
                              " ssh-add -q " + sshd.directory() + "/other " + sshd.directory() + "/id 2>/dev/null";
    REQUIRE(std::system(start.c_str()) == 0);
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        ov::SshContext context(runtime);
        auto to = sshd.destination();
        to.identities.clear();
        to.agent_socket = socket;
        co_await connect_only(context, to, Deadline::unlimited().child(20s));
        CHECK(sshd.log().find("rror") == std::string::npos);
    });
    CHECK(std::system(("pkill -f '[s]sh-agent -a " + socket + "'").c_str()) == 0);
}
