// One channel of an SSH session. Driven by the session's pump; everything else only queues and waits.
#pragma once

#include <libssh2.h>

#include <deque>
#include <memory>
#include <string>

#include "async/event.hpp"
#include "exec/remote_process.hpp"

namespace ov {

class SshSession;

class SshChannel : public std::enable_shared_from_this<SshChannel> {
public:
    enum class Progress { none, some, finished };

    SshChannel(std::shared_ptr<SshSession> session, LIBSSH2_CHANNEL* channel);
    ~SshChannel();
    SshChannel(const SshChannel&) = delete;
    SshChannel& operator=(const SshChannel&) = delete;

    /// Opens a session channel and starts `command` in the login shell of the user.
    static asio::awaitable<std::shared_ptr<SshChannel>> exec(std::shared_ptr<SshSession> session, std::string command,
                                                             Deadline deadline);
    /// Opens a TCP connection from the server to `host:port` (jump hosts).
    static asio::awaitable<std::shared_ptr<SshChannel>> connect(std::shared_ptr<SshSession> session, std::string host, int port,
                                                                Deadline deadline);

    void set_handler(RemoteProcessHandler* handler);
    void send(std::string bytes);
    asio::awaitable<void> drained(Deadline deadline);
    std::size_t queued() const noexcept { return queued_; }
    void end_input();
    void pause(bool paused);
    /// Closes without waiting for the peer; no more events.
    void abandon() noexcept;
    bool closed() const noexcept { return exit_.has_value(); }
    SshSession& session() noexcept { return *session_; }

    /// For the session's pump only.
    Progress pump();
    void lose(const std::string& reason);

private:
    bool write_some();
    bool read_some();
    bool try_finish();
    void report(RemoteExit exit);

    std::shared_ptr<SshSession> session_;
    LIBSSH2_CHANNEL* channel_;
    RemoteProcessHandler* handler_ = nullptr;
    std::deque<std::string> input_;
    std::size_t input_offset_ = 0, queued_ = 0;
    bool end_wanted_ = false, end_sent_ = false, paused_ = false, abandoned_ = false;
    std::optional<RemoteExit> exit_;
    Event drained_;
};

/// An exec channel as a process.
class SshProcess final : public RemoteProcess {
public:
    explicit SshProcess(std::shared_ptr<SshChannel> channel) : channel_(std::move(channel)) {}
    ~SshProcess() override { channel_->abandon(); }
    void set_handler(RemoteProcessHandler* handler) override { channel_->set_handler(handler); }
    void send(std::string bytes) override { channel_->send(std::move(bytes)); }
    asio::awaitable<void> drained(Deadline deadline) override { return channel_->drained(deadline); }
    void end_input() override { channel_->end_input(); }
    void pause(bool paused) override { channel_->pause(paused); }
    void abandon() noexcept override { channel_->abandon(); }

private:
    std::shared_ptr<SshChannel> channel_;
};

}  // namespace ov
