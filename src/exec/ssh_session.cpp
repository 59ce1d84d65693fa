#include "exec/ssh_session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <cerrno>
#include <cstring>

#include "base/sha256.hpp"
#include "exec/ssh_channel.hpp"
#include "exec/ssh_library.hpp"

namespace ov {

namespace {

const std::vector<std::string> host_key_order = {
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
    "ssh-rsa"};
const std::vector<std::string> key_exchange_order = {
    "curve25519-sha256",  "curve25519-sha256@libssh.org",  "ecdh-sha2-nistp256",           "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256"};

std::string hint_for(int code) {
    if (code != LIBSSH2_ERROR_KEX_FAILURE && code != LIBSSH2_ERROR_METHOD_NONE && code != LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE)
        return {};
    return fmt::format(
        "; no common algorithm: libssh2 {} wants an ed25519 or ecdsa host key, ctr ciphers and hmac-sha2 MACs "
        "(a server with only RSA host keys, GCM/chacha20 or ETM cannot be reached with it)",
        libssh2_version(0));
}

}  // namespace

std::string HostKey::fingerprint() const {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(blob.data(), blob.size(), digest.data(), &length, EVP_sha256(), nullptr);
    std::array<unsigned char, 64> encoded{};
    const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(length));
    std::string text(reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size));
    while (!text.empty() && text.back() == '=') text.pop_back();
    return "SHA256:" + text;
}

SshSession::SshSession(std::unique_ptr<ByteStream> stream, SshSessionOptions options, asio::any_io_executor executor)
    : executor_(executor),
      stream_(std::move(stream)),
      options_(std::move(options)),
      changed_(executor),
      keepalive_(executor),
      last_heard_(Deadline::Clock::now()) {
    initialise_libssh2();
    session_ = libssh2_session_init_ex(&on_allocate, &on_release, &on_resize, this);
    if (session_ == nullptr) throw Error(Errc::internal, "libssh2: no memory for a session");
    libssh2_session_set_blocking(session_, 0);
    libssh2_session_callback_set(session_, LIBSSH2_CALLBACK_SEND, reinterpret_cast<void*>(&SshSession::on_send));
    libssh2_session_callback_set(session_, LIBSSH2_CALLBACK_RECV, reinterpret_cast<void*>(&SshSession::on_receive));
    const std::vector<std::string>& types = options_.host_key_types.empty() ? host_key_order : options_.host_key_types;
    if (!prefer_methods(session_, LIBSSH2_METHOD_KEX, key_exchange_order) ||
        !prefer_methods(session_, LIBSSH2_METHOD_HOSTKEY, types)) {
        libssh2_session_free(session_);
        throw Error(Errc::unreachable,
                    fmt::format("libssh2 {} can use none of the host key types {}", libssh2_version(0), fmt::join(types, ", ")));
    }
    libssh2_keepalive_config(session_, 1, static_cast<unsigned>(options_.keepalive.count()));
}

SshSession::~SshSession() {
    // A stream that has ended lets libssh2 free channels without waiting for the server.
    end_of_stream_ = true;
    in_.clear();
    in_taken_ = 0;
    channels_.clear();
    libssh2_session_free(session_);
}

asio::awaitable<std::shared_ptr<SshSession>> SshSession::open(std::unique_ptr<ByteStream> stream, SshSessionOptions options,
                                                              Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    auto session = std::make_shared<SshSession>(std::move(stream), std::move(options), executor);
    std::exception_ptr failure;
    try {
        co_await session->handshake(deadline);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (failure) {
        session->abort("handshake failed");
        std::rethrow_exception(failure);
    }
    session->start_keepalive();
    co_return session;
}

asio::awaitable<void> SshSession::handshake(Deadline deadline) {
    start_read();
    const Deadline banner = deadline.child(options_.banner_limit, "banner");
    auto self = shared_from_this();
    auto operation = std::make_shared<Operation>();
    operation->step = [this] { return libssh2_session_handshake(session_, stream_->native_handle()); };
    operation->ended = std::make_shared<Event>(executor_);
    operations_.push_back(operation);
    pump();
    try {
        while (bytes_received_ == 0 && failure_.empty()) co_await changed_.wait(banner);
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled || deadline.expired()) throw;
        throw Error(Errc::unreachable,
                    fmt::format("{}: connected, but no SSH banner within {} ms", options_.name, options_.banner_limit.count()));
    }
    const Deadline exchange = deadline.child(options_.key_exchange_limit, "key exchange");
    try {
        while (!operation->done) co_await operation->ended->wait(exchange);
    } catch (const Error& error) {
        if (error.code() == Errc::cancelled || deadline.expired()) throw;
        throw Error(Errc::unreachable, fmt::format("{}: the key exchange took longer than {} s", options_.name,
                                                   options_.key_exchange_limit.count()));
    }
    if (operation->result != 0) {
        const std::string why = failure_.empty() ? ssh_error_text(session_, operation->result) : failure_;
        throw Error(Errc::unreachable, fmt::format("{}: SSH handshake: {}{}", options_.name, why, hint_for(operation->result)));
    }
}

HostKey SshSession::host_key() const {
    std::size_t length = 0;
    int kind = 0;
    const char* blob = libssh2_session_hostkey(session_, &length, &kind);
    if (blob == nullptr) throw Error(Errc::internal, options_.name + ": no host key after the handshake");
    HostKey key;
    key.blob.assign(blob, length);
    // The blob opens with its own type: a 32-bit big-endian length and the name.
    if (length > 4) {
        const auto size = static_cast<unsigned char>(key.blob[3]);
        key.type = key.blob.substr(4, size);
    }
    return key;
}

std::string SshSession::methods() const {
    std::string text;
    for (const int method : {LIBSSH2_METHOD_KEX, LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_HOSTKEY}) {
        const char* name = libssh2_session_methods(session_, method);
        if (name != nullptr) text += (text.empty() ? "" : ", ") + std::string(name);
    }
    return text;
}

void* SshSession::on_allocate(std::size_t size, void** abstract) {
    return static_cast<SshSession*>(*abstract)->memory_.allocate(size);
}

void* SshSession::on_resize(void* block, std::size_t size, void** abstract) {
    return static_cast<SshSession*>(*abstract)->memory_.resize(block, size);
}

void SshSession::on_release(void* block, void** abstract) {
    static_cast<SshSession*>(*abstract)->memory_.release(block);
}

ssize_t SshSession::on_send(libssh2_socket_t, const void* bytes, size_t length, int, void** abstract) {
    auto& self = *static_cast<SshSession*>(*abstract);
    self.out_.append(static_cast<const char*>(bytes), length);
    return static_cast<ssize_t>(length);
}

ssize_t SshSession::on_receive(libssh2_socket_t, void* into, size_t length, int, void** abstract) {
    auto& self = *static_cast<SshSession*>(*abstract);
    const std::size_t have = self.in_.size() - self.in_taken_;
    if (have == 0) return self.end_of_stream_ ? 0 : -EAGAIN;
    const std::size_t count = std::min(have, length);
    std::memcpy(into, self.in_.data() + self.in_taken_, count);
    self.in_taken_ += count;
    if (self.in_taken_ == self.in_.size()) {
        self.in_.clear();
        self.in_taken_ = 0;
    }
    return static_cast<ssize_t>(count);
}

void SshSession::start_read() {
    ++in_flight_;
    stream_->read_some(asio::buffer(chunk_), [self = shared_from_this()](IoError error, std::size_t count) {
        --self->in_flight_;
        if (!self->failure_.empty() || self->closing_) return self->changed_.notify();
        if (error) {
            self->end_of_stream_ = true;
            self->pump();  // what arrived before the end still counts
            return self->abort(error == asio::error::eof ? "the connection was closed by the other side"
                                                         : "the connection broke: " + error.message());
        }
        self->in_.append(self->chunk_.data(), count);
        self->bytes_received_ += count;
        self->last_heard_ = Deadline::Clock::now();
        if (self->bytes_received_ == count) self->changed_.notify();
        self->pump();
        if (self->failure_.empty()) self->start_read();
    });
}

void SshSession::start_write() {
    if (!writing_.empty() || out_.empty() || !failure_.empty()) return;
    writing_.swap(out_);
    ++in_flight_;
    stream_->write(asio::buffer(writing_), [self = shared_from_this()](IoError error) {
        --self->in_flight_;
        self->bytes_sent_ += self->writing_.size();
        self->writing_.clear();
        if (error && !self->closing_) return self->abort("the connection broke: " + error.message());
        if (error) return self->changed_.notify();
        if (self->closing_)
            self->start_write();
        else
            self->pump();
        self->changed_.notify();
    });
}

void SshSession::start_keepalive() {
    keepalive_.expires_after(options_.keepalive);
    keepalive_.async_wait([weak = weak_from_this()](asio::error_code error) {
        const auto self = weak.lock();
        if (error || !self || !self->alive()) return;
        const auto silence = Deadline::Clock::now() - self->last_heard_;
        if (silence > 3 * self->options_.keepalive)
            return self->abort(
                fmt::format("no sign of life for {} s", std::chrono::duration_cast<std::chrono::seconds>(silence).count()));
        int next = 0;
        libssh2_keepalive_send(self->session_, &next);
        self->pump();
        self->start_keepalive();
    });
}

void SshSession::kick() {
    if (kicked_) return;
    kicked_ = true;
    asio::post(executor_, [self = shared_from_this()] {
        self->kicked_ = false;
        self->pump();
    });
}

void SshSession::add(std::shared_ptr<SshChannel> channel) {
    channels_.push_back(std::move(channel));
    kick();
}

void SshSession::pump() {
    if (pumping_) {
        again_ = true;
        return;
    }
    if (!failure_.empty() || closing_) return;
    const auto self = shared_from_this();  // a handler may drop the last owner
    pumping_ = true;
    // A pass that moved anything may have moved data for others (a libssh2 call reads all there is): until nothing moves.
    do {
        again_ = false;
    } while ((pump_once() || again_) && failure_.empty());
    pumping_ = false;
    start_write();
}

bool SshSession::pump_once() {
    bool moved = false;
    while (!operations_.empty()) {
        const auto operation = operations_.front();
        const int result = operation->step();
        if (result == LIBSSH2_ERROR_EAGAIN) break;
        operations_.pop_front();
        operation->result = result;
        operation->done = true;
        operation->ended->notify();
        moved = true;
    }
    for (auto place = channels_.begin(); place != channels_.end();) {
        const auto channel = *place;
        const SshChannel::Progress progress = channel->pump();
        if (progress == SshChannel::Progress::finished)
            place = channels_.erase(place);
        else
            ++place;
        moved = moved || progress != SshChannel::Progress::none;
        if (!failure_.empty()) break;
    }
    return moved;
}

asio::awaitable<int> SshSession::perform(std::function<int()> step, Deadline deadline) {
    if (!alive()) throw Error(Errc::transport_lost, fmt::format("{}: {}", options_.name, failure_.empty() ? "closed" : failure_));
    auto self = shared_from_this();
    auto operation = std::make_shared<Operation>();
    operation->step = std::move(step);
    operation->ended = std::make_shared<Event>(executor_);
    operations_.push_back(operation);
    pump();
    while (!operation->done) co_await operation->ended->wait(deadline);
    if (!failure_.empty() && operation->result == LIBSSH2_ERROR_SOCKET_DISCONNECT)
        throw Error(Errc::transport_lost, fmt::format("{}: {}", options_.name, failure_));
    co_return operation->result;
}

void SshSession::abort(const std::string& reason) noexcept {
    if (!failure_.empty()) return;
    failure_ = reason;
    end_of_stream_ = true;
    keepalive_.cancel();
    stream_->close();
    const auto operations = std::move(operations_);
    operations_.clear();
    for (const auto& operation : operations) {
        operation->result = LIBSSH2_ERROR_SOCKET_DISCONNECT;
        operation->done = true;
        operation->ended->notify();
    }
    const auto channels = std::move(channels_);
    channels_.clear();
    for (const auto& channel : channels) channel->lose(reason);
    changed_.notify();
}

asio::awaitable<void> SshSession::close(Deadline deadline) {
    const auto self = shared_from_this();
    if (alive()) {
        libssh2_session_disconnect_ex(session_, SSH_DISCONNECT_BY_APPLICATION, "done", "");
        closing_ = true;
        start_write();
        try {
            while (unsent() > 0 && failure_.empty() && in_flight_ > 1) co_await changed_.wait(deadline);
        } catch (const Error&) {
            // The goodbye is a courtesy: past the deadline the connection is simply closed.
        }
        abort("closed");
    }
    // Handlers of closed sockets come at once; the join is not bounded by the caller's patience.
    const Deadline join = Deadline::unlimited();
    while (in_flight_ > 0) co_await changed_.wait(join);
}

}  // namespace ov
