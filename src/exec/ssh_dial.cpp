#include "exec/ssh_dial.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <deque>

#include "async/process.hpp"
#include "async/watchdog.hpp"
#include "exec/ssh_channel.hpp"
#include "exec/ssh_connect.hpp"

namespace ov {

namespace {

using asio::ip::tcp;

std::vector<tcp::endpoint> look_up(const std::string& host, int port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (error != 0) throw Error(Errc::unreachable, fmt::format("{}: {}", host, ::gai_strerror(error)));
    std::vector<tcp::endpoint> endpoints;
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        tcp::endpoint endpoint;
        if (entry->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
        endpoint.resize(entry->ai_addrlen);
        endpoint.port(static_cast<unsigned short>(port));
        endpoints.push_back(endpoint);
    }
    ::freeaddrinfo(found);
    return endpoints;
}

asio::awaitable<std::vector<tcp::endpoint>> endpoints_of(SshContext& context, std::string host, int port, Deadline deadline) {
    asio::error_code not_literal;
    const auto address = asio::ip::make_address(host, not_literal);
    if (!not_literal) {
        std::vector<tcp::endpoint> one(1, tcp::endpoint(address, static_cast<unsigned short>(port)));
        co_return one;
    }
    const Semaphore::Place place = co_await context.lookups.acquire(deadline);
    auto call = [host, port] { return look_up(host, port); };
    auto endpoints = co_await context.runtime.pool.run(deadline, call);
    co_return endpoints;
}

tcp::socket open_socket(const asio::any_io_executor& executor, const tcp::endpoint& endpoint) {
    // Asio 1.22 opens sockets without CLOEXEC.
    const int descriptor = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) throw Error(Errc::io, fmt::format("socket: {}", std::strerror(errno)));
    const int on = 1, unacknowledged_ms = 45000;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
    return tcp::socket(executor, endpoint.protocol(), descriptor);
}

asio::awaitable<std::unique_ptr<ByteStream>> dial_tcp(SshContext& context, SshDestination destination,
                                                      std::chrono::milliseconds limit, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const auto endpoints = co_await endpoints_of(context, destination.host, destination.port, deadline);
    std::string why = "no address";
    for (const tcp::endpoint& endpoint : endpoints) {
        tcp::socket socket = open_socket(executor, endpoint);
        const Deadline attempt = deadline.child(limit, "connect");
        asio::error_code error;
        bool late = false;
        {
            const Watchdog guard(executor, attempt, [&socket] { socket.cancel(); });
            co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
            late = guard.fired();
        }
        if (!error) {
            std::unique_ptr<ByteStream> stream = std::make_unique<SocketStream<tcp::socket>>(std::move(socket));
            co_return stream;
        }
        if (deadline.cancelled() || deadline.expired()) deadline.raise();
        why = late ? fmt::format("no answer within {} ms", limit.count()) : error.message();
    }
    throw Error(Errc::unreachable,
                fmt::format("{} ({}:{}): connect: {}", destination.name, destination.host, destination.port, why));
}

/// Holds the ProxyCommand's process as long as its stream.
class CommandStream final : public ByteStream {
public:
    CommandStream(asio::local::stream_protocol::socket socket, Process process)
        : stream_(std::move(socket)), process_(std::move(process)) {}
    void read_some(asio::mutable_buffer into, std::function<void(IoError, std::size_t)> done) override {
        stream_.read_some(into, std::move(done));
    }
    void write(asio::const_buffer bytes, std::function<void(IoError)> done) override { stream_.write(bytes, std::move(done)); }
    void close() noexcept override { stream_.close(); }
    int native_handle() noexcept override { return stream_.native_handle(); }

private:
    SocketStream<asio::local::stream_protocol::socket> stream_;
    Process process_;
};

asio::awaitable<std::unique_ptr<ByteStream>> dial_command(SshDestination destination) {
    const auto executor = co_await asio::this_coro::executor;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw Error(Errc::io, fmt::format("socketpair: {}", std::strerror(errno)));
    asio::local::stream_protocol::socket ours(executor, asio::local::stream_protocol(), ends[0]);
    asio::local::stream_protocol::socket theirs(executor, asio::local::stream_protocol(), ends[1]);
    ProcessOptions options;
    // ssh_config(5): the command is run by the user's shell.
    options.argv = {"/bin/sh", "-c", "exec " + expand_proxy_command(destination)};
    options.in_out_descriptor = theirs.native_handle();
    options.err = Redirect::null;
    Process process = Process::spawn(executor, std::move(options));
    std::unique_ptr<ByteStream> stream = std::make_unique<CommandStream>(std::move(ours), std::move(process));
    co_return stream;
}

/// A direct-tcpip channel as a stream for an inner session.
class ChannelStream final : public ByteStream, private RemoteProcessHandler {
public:
    explicit ChannelStream(std::shared_ptr<SshChannel> channel) : channel_(std::move(channel)) { channel_->set_handler(this); }
    ~ChannelStream() override { channel_->abandon(); }

    void read_some(asio::mutable_buffer into, std::function<void(IoError, std::size_t)> done) override {
        into_ = into;
        reader_ = std::move(done);
        serve();
    }

    void write(asio::const_buffer bytes, std::function<void(IoError)> done) override {
        channel_->send(std::string(static_cast<const char*>(bytes.data()), bytes.size()));
        // The channel copies; its own flow control bounds the queue because the inner session has one write at a time.
        const IoError error = ended_ ? IoError(asio::error::eof) : IoError();
        asio::post(channel_->session().executor(), [done = std::move(done), error] { done(error); });
    }

    void close() noexcept override {
        ended_ = true;
        channel_->abandon();
        serve();
    }

    int native_handle() noexcept override { return 0; }

private:
    void on_output(Stream stream, std::string_view bytes) override {
        if (stream == Stream::out) buffer_.append(bytes);
        if (buffer_.size() > 1024 * 1024) channel_->pause(true);
        serve();
    }

    void on_closed(const RemoteExit&) override {
        ended_ = true;
        serve();
    }

    void serve() {
        if (!reader_ || (buffer_.empty() && !ended_)) return;
        const std::size_t count = std::min(buffer_.size(), into_.size());
        std::memcpy(into_.data(), buffer_.data(), count);
        buffer_.erase(0, count);
        if (buffer_.empty() && !ended_) channel_->pause(false);
        const IoError error = count == 0 ? IoError(asio::error::eof) : IoError();
        // Posted: the session above us expects its handler from the event loop.
        asio::post(channel_->session().executor(),
                   [done = std::exchange(reader_, nullptr), error, count] { done(error, count); });
    }

    std::shared_ptr<SshChannel> channel_;
    std::string buffer_;
    asio::mutable_buffer into_;
    std::function<void(IoError, std::size_t)> reader_;
    bool ended_ = false;
};

}  // namespace

std::string expand_proxy_command(const SshDestination& destination) {
    std::string text;
    const std::string& command = destination.proxy_command;
    for (std::size_t i = 0; i < command.size(); ++i) {
        if (command[i] != '%' || i + 1 == command.size()) {
            text += command[i];
            continue;
        }
        switch (command[++i]) {
            case 'h':
                text += destination.host;
                break;
            case 'p':
                text += std::to_string(destination.port);
                break;
            case 'r':
                text += destination.user;
                break;
            case 'n':
                text += destination.name;
                break;
            case '%':
                text += '%';
                break;
            default:
                text += {'%', command[i]};
                break;
        }
    }
    return text;
}

asio::awaitable<std::unique_ptr<ByteStream>> dial(SshContext& context, SshDestination destination,
                                                  std::shared_ptr<SshSession> outer, std::chrono::milliseconds limit,
                                                  Deadline deadline) {
    if (!destination.proxy_command.empty()) {
        auto stream = co_await dial_command(std::move(destination));
        co_return stream;
    }
    if (outer) {
        auto channel = co_await SshChannel::connect(outer, destination.host, destination.port, deadline.child(limit, "jump"));
        std::unique_ptr<ByteStream> stream = std::make_unique<ChannelStream>(std::move(channel));
        co_return stream;
    }
    auto stream = co_await dial_tcp(context, std::move(destination), limit, deadline);
    co_return stream;
}

}  // namespace ov
