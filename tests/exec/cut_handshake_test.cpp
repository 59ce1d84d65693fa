// A server that goes away in the middle of a handshake, at every stage of it.
#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cstdlib>

#include "exec/ssh_connect.hpp"
#include "support/engine.hpp"
#include "support/test_sshd.hpp"

using namespace std::chrono_literals;
using asio::ip::tcp;
using ov::Deadline;
using ov::Errc;

namespace {

using Socket = std::shared_ptr<tcp::socket>;

enum class Then { reset, stall };

/// Carries bytes until `left` are gone; then both connections are reset, as by a machine that reboots, or it falls silent.
asio::awaitable<void> carry(Socket from, Socket to, std::size_t left, Then then) {
    std::array<char, 4096> bytes{};
    try {
        while (left > 0) {
            const std::size_t count = co_await from->async_read_some(asio::buffer(bytes), asio::use_awaitable);
            const std::size_t some = std::min(count, left);
            co_await asio::async_write(*to, asio::buffer(bytes.data(), some), asio::use_awaitable);
            left -= some;
        }
        while (then == Then::stall) co_await from->async_read_some(asio::buffer(bytes), asio::use_awaitable);
    } catch (const std::system_error&) {
    }
    for (const Socket& socket : {from, to}) {
        asio::error_code ignored;
        socket->set_option(asio::socket_base::linger(true, 0), ignored);
        socket->close(ignored);
    }
}

asio::awaitable<void> serve_one(tcp::acceptor& acceptor, int port, std::size_t limit, Then then) {
    const auto executor = acceptor.get_executor();
    Socket client = std::make_shared<tcp::socket>(executor), server = std::make_shared<tcp::socket>(executor);
    co_await acceptor.async_accept(*client, asio::use_awaitable);
    const tcp::endpoint sshd(asio::ip::address_v4::loopback(), static_cast<unsigned short>(port));
    co_await server->async_connect(sshd, asio::use_awaitable);
    asio::co_spawn(executor, carry(client, server, std::size_t{1} << 30, then), [](std::exception_ptr) {});
    asio::co_spawn(executor, carry(server, client, limit, then), [](std::exception_ptr) {});
}

asio::awaitable<void> connect_only(ov::SshContext& context, ov::SshDestination to, Deadline deadline) {
    auto connection = co_await ov::connect_once(context, to, {}, {}, deadline);
    co_await connection->close(deadline);
}

}  // namespace

TEST_CASE("a connection that is reset or falls silent at any byte of the handshake or the login is an error and no more") {
    if (!ov::test::TestSshd::available()) {
        MESSAGE("skipped: sshd or ssh-keygen is missing");
        return;
    }
    const char* wanted = std::getenv("OV_TEST_STRIDE");
    const std::size_t stride = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 61;
    ov::test::TestSshd sshd;
    ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
        ov::SshContext context(runtime);
        tcp::acceptor acceptor(runtime.io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        ov::SshDestination to = sshd.destination();
        to.port = acceptor.local_endpoint().port();
        for (const Then then : {Then::reset, Then::stall}) {
            std::size_t errors = 0;
            for (std::size_t limit = 1; limit < 20'000; limit += stride) {
                CAPTURE(limit);
                asio::co_spawn(runtime.io, serve_one(acceptor, sshd.port(), limit, then), [](std::exception_ptr) {});
                std::string message = "no error";
                const Deadline deadline = Deadline::unlimited().child(then == Then::reset ? 30s : 150ms);
                const Errc code = co_await ov::test::code_of(connect_only(context, to, deadline), &message);
                if (message == "no error") break;
                ++errors;
                const bool expected = then == Then::reset ? code == Errc::unreachable || code == Errc::transport_lost
                                                          : code == Errc::timed_out || code == Errc::unreachable;
                CHECK_MESSAGE(expected, message);
            }
            CHECK(errors > 1500 / stride);
        }
    });
}
