#include "lifecycle/console_relay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

#include "async/task_group.hpp"
#include "async/watchdog.hpp"

namespace ov {

namespace {

constexpr char leave_key = 0x1d;  // Ctrl-]

/// No echo, no line editing, no signals from keys: all of that is the guest's.
class RawTerminal {
public:
    explicit RawTerminal(int descriptor) : descriptor_(descriptor) {
        termios raw{};
        if (::tcgetattr(descriptor_, &raw) != 0) return;
        before_ = raw;
        ::cfmakeraw(&raw);
        ::tcsetattr(descriptor_, TCSANOW, &raw);
    }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    ~RawTerminal() {
        if (before_) ::tcsetattr(descriptor_, TCSANOW, &*before_);
    }

private:
    int descriptor_;
    std::optional<termios> before_;
};

/// The standard stream opened anew: non-blocking mode belongs to the open file, and the shell shares ours.
int reopen(int descriptor, int flags) {
    const int again = ::open(fmt::format("/proc/self/fd/{}", descriptor).c_str(), flags | O_CLOEXEC | O_NOCTTY);
    return again >= 0 ? again : ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
}

int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw Error(Errc::io, path + ": too long for a socket");
    std::memcpy(address.sun_path, path.data(), path.size());
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor >= 0 && ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return descriptor;
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (error == ENOENT) throw Error(Errc::not_found, path + ": no such socket; does the machine run?");
    if (error == EAGAIN) throw Error(Errc::busy, path + ": somebody else is at this console");
    throw Error(Errc::unreachable, fmt::format("{}: {}", path, std::strerror(error)));
}

struct Relay {
    explicit Relay(const asio::any_io_executor& executor) : socket(executor), in(executor), out(executor) {}
    asio::local::stream_protocol::socket socket;
    asio::posix::stream_descriptor in, out;
    void stop() {
        asio::error_code ignored;
        socket.cancel(ignored);
        in.cancel(ignored);
        out.cancel(ignored);
    }
};

/// Cancellation comes through `stop`, so errors only say that this direction is over.
asio::awaitable<void> to_guest(Relay& relay) {
    std::array<char, 1024> keys;
    for (;;) {
        asio::error_code error;
        const std::size_t got =
            co_await relay.in.async_read_some(asio::buffer(keys), asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::eof) co_return;  // the output goes on
        const std::size_t leave = std::string_view(keys.data(), got).find(leave_key);
        const std::size_t size = leave == std::string_view::npos ? got : leave;
        if (!error)
            co_await asio::async_write(relay.socket, asio::buffer(keys.data(), size),
                                       asio::redirect_error(asio::use_awaitable, error));
        if (!error && leave == std::string_view::npos) continue;
        relay.stop();
        co_return;
    }
}

asio::awaitable<void> from_guest(Relay& relay) {
    std::array<char, 8192> text;
    for (;;) {
        asio::error_code error;
        const std::size_t got =
            co_await relay.socket.async_read_some(asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
        if (!error)
            co_await asio::async_write(relay.out, asio::buffer(text.data(), got),
                                       asio::redirect_error(asio::use_awaitable, error));
        if (!error) continue;
        relay.stop();
        co_return;
    }
}

/// Epoll takes no regular files (`< keys.txt`, `> log`): a pipe in between would be needed; those are refused by name.
void assign(asio::posix::stream_descriptor& stream, int descriptor, const char* what) {
    asio::error_code error;
    stream.assign(descriptor, error);
    if (!error) return;
    ::close(descriptor);
    throw Error(Errc::unsupported, fmt::format("{} must be a terminal or a pipe: {}", what, error.message()));
}

}  // namespace

asio::awaitable<void> relay_console(std::string socket_path, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    Relay relay(executor);
    relay.socket.assign(asio::local::stream_protocol(), connect_to(socket_path));
    assign(relay.in, reopen(STDIN_FILENO, O_RDONLY), "standard input");
    assign(relay.out, reopen(STDOUT_FILENO, O_WRONLY), "standard output");
    const RawTerminal raw(STDIN_FILENO);
    const Watchdog guard(executor, deadline, [&relay] { relay.stop(); });
    auto body = [&relay](TaskGroup& group) -> asio::awaitable<void> {
        group.spawn(to_guest(relay));
        group.spawn(from_guest(relay));
        co_await group.join();
    };
    const Deadline patience = Deadline::unlimited();
    co_await with_task_group(patience, body);
}

}  // namespace ov
