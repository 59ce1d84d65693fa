#include "exec/ssh_agent.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <cstring>

#include "async/watchdog.hpp"

namespace ov {

namespace {

constexpr unsigned char request_identities = 11, identities_answer = 12, sign_request = 13, sign_response = 14;
constexpr std::size_t largest_answer = 256 * 1024;

std::string wire_string(std::string_view bytes) {
    const auto n = static_cast<std::uint32_t>(bytes.size());
    std::string text = {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n)};
    return text.append(bytes);
}

std::uint32_t wire_number(std::string_view& rest) {
    if (rest.size() < 4) throw Error(Errc::io, "ssh agent: short answer");
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
    rest.remove_prefix(4);
    return value;
}

std::string take_string(std::string_view& rest) {
    const std::uint32_t size = wire_number(rest);
    if (size > rest.size()) throw Error(Errc::io, "ssh agent: short answer");
    std::string text(rest.substr(0, size));
    rest.remove_prefix(size);
    return text;
}

}  // namespace

std::string AgentKey::type() const {
    std::string_view rest = blob;
    return take_string(rest);
}

asio::awaitable<std::unique_ptr<SshAgent>> SshAgent::connect(std::string socket_path, Deadline deadline) {
    deadline.check();
    // Connected by hand: Asio 1.22.1 mishandles EAGAIN of a UNIX connect, and its sockets lack CLOEXEC.
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path) throw Error(Errc::io, "ssh agent: path too long: " + socket_path);
    std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
    if (descriptor < 0 || ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        if (descriptor >= 0) ::close(descriptor);
        throw Error(Errc::io, fmt::format("ssh agent: {}: {}", socket_path, std::strerror(error)));
    }
    asio::local::stream_protocol::socket socket(co_await asio::this_coro::executor, asio::local::stream_protocol(), descriptor);
    co_return std::make_unique<SshAgent>(std::move(socket));
}

asio::awaitable<std::string> SshAgent::request(std::string payload, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const Watchdog guard(executor, deadline, [this] { socket_.cancel(); });
    const std::string frame = wire_string(payload);
    asio::error_code error;
    co_await asio::async_write(socket_, asio::buffer(frame), asio::redirect_error(asio::use_awaitable, error));
    std::string header(4, '\0');
    if (!error) co_await asio::async_read(socket_, asio::buffer(header), asio::redirect_error(asio::use_awaitable, error));
    if (guard.fired()) deadline.raise();
    if (error) throw Error(Errc::io, "ssh agent: " + error.message());
    std::string_view rest = header;
    const std::uint32_t size = wire_number(rest);
    if (size > largest_answer) throw Error(Errc::io, "ssh agent: oversized answer");
    std::string answer(size, '\0');
    co_await asio::async_read(socket_, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
    if (guard.fired()) deadline.raise();
    if (error) throw Error(Errc::io, "ssh agent: " + error.message());
    co_return answer;
}

asio::awaitable<std::vector<AgentKey>> SshAgent::keys(Deadline deadline) {
    const std::string answer = co_await request(std::string(1, static_cast<char>(request_identities)), deadline);
    std::string_view rest = answer;
    if (rest.empty() || static_cast<unsigned char>(rest.front()) != identities_answer)
        throw Error(Errc::io, "ssh agent: it does not list its keys");
    rest.remove_prefix(1);
    const std::uint32_t count = wire_number(rest);
    std::vector<AgentKey> keys;
    for (std::uint32_t i = 0; i < count; ++i) {
        AgentKey key;
        key.blob = take_string(rest);
        key.comment = take_string(rest);
        keys.push_back(std::move(key));
    }
    co_return keys;
}

asio::awaitable<std::string> SshAgent::sign(AgentKey key, std::string data, Deadline deadline) {
    std::string payload(1, static_cast<char>(sign_request));
    payload += wire_string(key.blob) + wire_string(data) + std::string(4, '\0');
    const std::string answer = co_await request(std::move(payload), deadline);
    std::string_view rest = answer;
    if (rest.empty() || static_cast<unsigned char>(rest.front()) != sign_response)
        throw Error(Errc::auth_failed, fmt::format("ssh agent: it refused to sign with {}", key.comment));
    rest.remove_prefix(1);
    co_return take_string(rest);
}

}  // namespace ov
