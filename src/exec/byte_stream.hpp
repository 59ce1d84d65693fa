// A two-way stream of bytes under an SSH session: a TCP socket, a ProxyCommand, or a channel of another session.
#pragma once

#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

namespace ov {

using IoError = std::error_code;

/// At most one read and one write are in flight. Handlers run from the event loop, each exactly once, also after `close`.
class ByteStream {
public:
    virtual ~ByteStream() = default;
    /// Zero bytes without an error never happen: the end of the stream is an error (asio::error::eof).
    virtual void read_some(asio::mutable_buffer into, std::function<void(IoError, std::size_t)> done) = 0;
    /// Writes all of `bytes`, which the caller keeps alive until `done`.
    virtual void write(asio::const_buffer bytes, std::function<void(IoError)> done) = 0;
    virtual void close() noexcept = 0;
    /// Some open descriptor; libssh2 wants one although its bytes come through callbacks.
    virtual int native_handle() noexcept = 0;
};

/// Any stream socket of Asio.
template <class Socket>
class SocketStream final : public ByteStream {
public:
    explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}
    void read_some(asio::mutable_buffer into, std::function<void(IoError, std::size_t)> done) override {
        socket_.async_read_some(into, std::move(done));
    }
    void write(asio::const_buffer bytes, std::function<void(IoError)> done) override {
        asio::async_write(socket_, bytes, [done = std::move(done)](IoError error, std::size_t) { done(error); });
    }
    void close() noexcept override {
        IoError ignored;  // the descriptor is gone either way
        socket_.close(ignored);
    }
    int native_handle() noexcept override { return socket_.native_handle(); }

private:
    Socket socket_;
};

}  // namespace ov
