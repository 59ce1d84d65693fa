#include "exec/ssh_channel.hpp"

#include <fmt/format.h>

#include <array>

#include "exec/ssh_library.hpp"
#include "exec/ssh_session.hpp"

namespace ov {

namespace {

constexpr std::size_t queue_mark = 256 * 1024;  // input of one channel that `drained` tolerates
constexpr std::size_t packet_payload = 32000;
constexpr std::size_t network_mark = 256 * 1024;  // ciphertext that may wait for the network

struct Opening {
    LIBSSH2_CHANNEL* channel = nullptr;
    ~Opening() {
        // Only when the caller was cancelled between open and use; the session still runs and frees it without waiting.
        if (channel != nullptr) libssh2_channel_free(channel);
    }
};

[[noreturn]] void fail_open(SshSession& session, std::string_view what, int code) {
    throw Error(session.alive() ? Errc::unreachable : Errc::transport_lost,
                fmt::format("{}: {}: {}", session.name(), what, ssh_error_text(session.raw(), code)));
}

}  // namespace

SshChannel::SshChannel(std::shared_ptr<SshSession> session, LIBSSH2_CHANNEL* channel)
    : session_(std::move(session)), channel_(channel), drained_(session_->executor()) {}

SshChannel::~SshChannel() {
    if (channel_ != nullptr) libssh2_channel_free(channel_);
}

asio::awaitable<std::shared_ptr<SshChannel>> SshChannel::exec(std::shared_ptr<SshSession> session, std::string command,
                                                              Deadline deadline) {
    auto opening = std::make_shared<Opening>();
    // Small windows: unread data of hundreds of machines must not pile up in memory.
    auto open = [session, opening] {
        opening->channel =
            libssh2_channel_open_ex(session->raw(), "session", 7, 256 * 1024, LIBSSH2_CHANNEL_PACKET_DEFAULT, nullptr, 0);
        return opening->channel != nullptr ? 0 : libssh2_session_last_errno(session->raw());
    };
    const int opened = co_await session->perform(open, deadline);
    if (opened != 0) fail_open(*session, "the server refused a channel", opened);
    auto start = [session, opening, command] {
        return libssh2_channel_process_startup(opening->channel, "exec", 4, command.data(),
                                               static_cast<unsigned>(command.size()));
    };
    const int started = co_await session->perform(start, deadline);
    if (started != 0) fail_open(*session, "the server refused to run a command", started);
    auto channel = std::make_shared<SshChannel>(session, std::exchange(opening->channel, nullptr));
    session->add(channel);
    co_return channel;
}

asio::awaitable<std::shared_ptr<SshChannel>> SshChannel::connect(std::shared_ptr<SshSession> session, std::string host, int port,
                                                                 Deadline deadline) {
    auto opening = std::make_shared<Opening>();
    auto open = [session, opening, host, port] {
        opening->channel = libssh2_channel_direct_tcpip_ex(session->raw(), host.c_str(), port, "127.0.0.1", 0);
        return opening->channel != nullptr ? 0 : libssh2_session_last_errno(session->raw());
    };
    const int opened = co_await session->perform(open, deadline);
    if (opened != 0) fail_open(*session, fmt::format("the jump host cannot connect to {}:{}", host, port), opened);
    auto channel = std::make_shared<SshChannel>(session, std::exchange(opening->channel, nullptr));
    session->add(channel);
    co_return channel;
}

void SshChannel::set_handler(RemoteProcessHandler* handler) {
    handler_ = handler;
    if (handler != nullptr && !exit_) session_->kick();
}

void SshChannel::send(std::string bytes) {
    if (bytes.empty() || exit_ || abandoned_) return;
    queued_ += bytes.size();
    // Frames that are sent together travel in one packet: each costs both sides a MAC and a wake-up.
    if (!input_.empty() && input_.back().size() + bytes.size() <= packet_payload)
        input_.back() += bytes;
    else
        input_.push_back(std::move(bytes));
    session_->kick();
}

asio::awaitable<void> SshChannel::drained(Deadline deadline) {
    const auto self = shared_from_this();
    while (queued_ >= queue_mark && !exit_) co_await drained_.wait(deadline);
    if (exit_ && !exit_->lost.empty()) throw Error(Errc::transport_lost, fmt::format("{}: {}", session_->name(), exit_->lost));
}

void SshChannel::end_input() {
    end_wanted_ = true;
    session_->kick();
}

void SshChannel::pause(bool paused) {
    paused_ = paused;
    if (!paused) session_->kick();
}

void SshChannel::abandon() noexcept {
    handler_ = nullptr;
    if (abandoned_ || exit_) return;
    abandoned_ = true;
    input_.clear();
    queued_ = 0;
    session_->kick();
}

SshChannel::Progress SshChannel::pump() {
    if (abandoned_) {
        // Sends CLOSE and waits for the peer's, step by step; the session keeps this object until then.
        if (libssh2_channel_free(channel_) == LIBSSH2_ERROR_EAGAIN) return Progress::none;
        channel_ = nullptr;
        return Progress::finished;
    }
    if (handler_ == nullptr) return Progress::none;
    const auto self = shared_from_this();
    const bool wrote = write_some();
    const bool read = !paused_ && read_some();
    if (abandoned_) return Progress::some;
    if (!paused_ && try_finish()) return Progress::finished;
    return wrote || read ? Progress::some : Progress::none;
}

bool SshChannel::write_some() {
    bool moved = false;
    while (!input_.empty() && session_->unsent() < network_mark) {
        const std::string& front = input_.front();
        const ssize_t count = libssh2_channel_write_ex(channel_, 0, front.data() + input_offset_, front.size() - input_offset_);
        if (count == LIBSSH2_ERROR_EAGAIN || count == 0) break;  // the peer's window is full
        if (count < 0) {
            // The program has closed its input, or the session is going down; its end is reported by the read side.
            input_.clear();
            queued_ = 0;
            break;
        }
        moved = true;
        input_offset_ += static_cast<std::size_t>(count);
        queued_ -= static_cast<std::size_t>(count);
        if (input_offset_ == front.size()) {
            input_.pop_front();
            input_offset_ = 0;
        }
    }
    if (queued_ < queue_mark) drained_.notify();
    if (input_.empty() && end_wanted_ && !end_sent_) {
        end_sent_ = libssh2_channel_send_eof(channel_) != LIBSSH2_ERROR_EAGAIN;
        moved = moved || end_sent_;
    }
    return moved;
}

bool SshChannel::read_some() {
    bool moved = false;
    std::array<char, 32768> chunk;
    // Both streams share one window: reading only one of them would stop both.
    for (const Stream stream : {Stream::out, Stream::err}) {
        while (!paused_ && handler_ != nullptr) {
            const ssize_t count = libssh2_channel_read_ex(channel_, stream == Stream::out ? 0 : SSH_EXTENDED_DATA_STDERR,
                                                          chunk.data(), chunk.size());
            if (count <= 0) break;
            moved = true;
            handler_->on_output(stream, {chunk.data(), static_cast<std::size_t>(count)});
        }
    }
    return moved;
}

bool SshChannel::try_finish() {
    if (libssh2_channel_eof(channel_) != 1) return false;
    // The exit status may come between EOF and CLOSE.
    if (libssh2_channel_wait_closed(channel_) == LIBSSH2_ERROR_EAGAIN) return false;
    RemoteExit exit;
    exit.status = libssh2_channel_get_exit_status(channel_);
    char* signal = nullptr;
    std::size_t length = 0;
    libssh2_channel_get_exit_signal(channel_, &signal, &length, nullptr, nullptr, nullptr, nullptr);
    if (signal != nullptr) {
        exit.status = 128;
        exit.lost.clear();
        libssh2_free(session_->raw(), signal);
    }
    libssh2_channel_free(channel_);
    channel_ = nullptr;
    report(std::move(exit));
    return true;
}

void SshChannel::lose(const std::string& reason) {
    if (exit_) return;
    RemoteExit exit;
    exit.lost = reason;
    report(std::move(exit));
}

void SshChannel::report(RemoteExit exit) {
    exit_ = std::move(exit);
    drained_.notify();
    if (handler_ != nullptr) std::exchange(handler_, nullptr)->on_closed(*exit_);
}

}  // namespace ov
