// One SSH connection over libssh2. libssh2 sits on memory buffers: its send callback never blocks and never answers EAGAIN,
// which removes the partial-send bugs of 1.10 and 1.11.0; Asio moves the bytes; one pump is the only caller of libssh2.
//
// Waits are on our own events: cancelling a waiter never abandons a libssh2 call half way, the pump finishes it.
#pragma once

#include <libssh2.h>

#include <array>
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "async/event.hpp"
#include "exec/byte_stream.hpp"
#include "exec/ssh_memory.hpp"

namespace ov {

class SshChannel;

struct SshSessionOptions {
    std::string name;                         ///< for messages: "web (10.0.0.7:22)"
    std::vector<std::string> host_key_types;  ///< pinned types in order of preference; empty: all we speak
    std::chrono::seconds keepalive{15};       ///< dead after three silent intervals
    std::chrono::milliseconds banner_limit{2000};
    std::chrono::seconds key_exchange_limit{30};
};

/// The server's public key as it goes over the wire.
struct HostKey {
    std::string type;  ///< "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa", ...
    std::string blob;
    /// "SHA256:..." as OpenSSH prints it.
    std::string fingerprint() const;
};

class SshSession : public std::enable_shared_from_this<SshSession> {
public:
    /// Banner and key exchange. Throws Error{unreachable} naming the phase; the stream is closed then.
    static asio::awaitable<std::shared_ptr<SshSession>> open(std::unique_ptr<ByteStream> stream, SshSessionOptions options,
                                                             Deadline deadline);
    SshSession(const SshSession&) = delete;
    SshSession& operator=(const SshSession&) = delete;
    ~SshSession();

    HostKey host_key() const;
    /// "curve25519-sha256, aes128-ctr, hmac-sha2-256, ssh-ed25519": what was agreed on.
    std::string methods() const;
    const std::string& name() const noexcept { return options_.name; }
    asio::any_io_executor executor() const { return executor_; }
    LIBSSH2_SESSION* raw() const noexcept { return session_; }
    /// Whose session it is, for callbacks of libssh2; and the memory in which it takes what they hand over.
    static SshSession& of(LIBSSH2_SESSION* session) { return *static_cast<SshSession*>(*libssh2_session_abstract(session)); }
    SshMemory& memory() noexcept { return memory_; }
    bool alive() const noexcept { return failure_.empty() && !closing_; }
    std::uint64_t bytes_received() const noexcept { return bytes_received_; }
    std::uint64_t bytes_sent() const noexcept { return bytes_sent_; }

    /// Repeats `step` from the pump until it stops answering EAGAIN and returns its result. One operation at a time: the state
    /// machines of libssh2 live in the session. `step` owns its arguments; it is finished even if the caller is cancelled.
    asio::awaitable<int> perform(std::function<int()> step, Deadline deadline);

    /// Runs the pump soon, from the event loop.
    void kick();
    void add(std::shared_ptr<SshChannel> channel);

    /// Bytes that wait for the network.
    std::size_t unsent() const noexcept { return out_.size() + writing_.size(); }

    /// Says goodbye, closes, waits for the reads and writes in flight. Idempotent.
    asio::awaitable<void> close(Deadline deadline);
    /// Closes at once; everything in flight fails with `reason`.
    void abort(const std::string& reason) noexcept;

    SshSession(std::unique_ptr<ByteStream> stream, SshSessionOptions options, asio::any_io_executor executor);

private:
    struct Operation {
        std::function<int()> step;
        std::shared_ptr<Event> ended;
        int result = 0;
        bool done = false;
    };

    asio::awaitable<void> handshake(Deadline deadline);
    void start_read();
    void start_write();
    void start_keepalive();
    void pump();
    bool pump_once();
    static void* on_allocate(std::size_t size, void** abstract);
    static void* on_resize(void* block, std::size_t size, void** abstract);
    static void on_release(void* block, void** abstract);
    static ssize_t on_send(libssh2_socket_t socket, const void* bytes, size_t length, int flags, void** abstract);
    static ssize_t on_receive(libssh2_socket_t socket, void* into, size_t length, int flags, void** abstract);

    asio::any_io_executor executor_;
    std::unique_ptr<ByteStream> stream_;
    SshSessionOptions options_;
    SshMemory memory_;
    LIBSSH2_SESSION* session_ = nullptr;
    std::array<char, 16384> chunk_;
    std::string in_, out_, writing_;
    std::size_t in_taken_ = 0;
    std::uint64_t bytes_received_ = 0, bytes_sent_ = 0;
    bool end_of_stream_ = false, pumping_ = false, again_ = false, closing_ = false, kicked_ = false;
    int in_flight_ = 0;  ///< reads and writes whose handlers are still to come
    std::string failure_;
    std::deque<std::shared_ptr<Operation>> operations_;
    std::list<std::shared_ptr<SshChannel>> channels_;
    Event changed_;  ///< first byte, end of the in-flight work
    asio::steady_timer keepalive_;
    Deadline::Clock::time_point last_heard_;
};

}  // namespace ov
