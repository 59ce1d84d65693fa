#include "backend/qmp.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "async/event.hpp"
#include "async/watchdog.hpp"

namespace ov {

namespace {

using nlohmann::json;

/// Answers are a few KiB; a peer that sends no line end must not fill the memory.
constexpr std::size_t longest_line = 16U << 20U;
/// How long a client that QEMU does not serve yet (another one is connected) waits.
constexpr std::chrono::seconds greeting_limit{5};

int connect_once(const std::string& path, int& descriptor) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw Error(Errc::io, fmt::format("{}: the path is too long for a socket", path));
    std::memcpy(address.sun_path, path.data(), path.size());
    descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) throw Error(Errc::io, fmt::format("socket: {}", std::strerror(errno)));
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return 0;
    const int error = errno;
    ::close(descriptor);
    return error;
}

/// A UNIX connect is done at once or the queue is full (EAGAIN): then another client is before us.
asio::awaitable<int> connect_descriptor(std::string path, Deadline deadline) {
    for (;;) {
        int descriptor = -1;
        const int error = connect_once(path, descriptor);
        if (error == 0) co_return descriptor;
        if (error == ENOENT) throw Error(Errc::not_found, fmt::format("{}: no such socket", path));
        if (error != EAGAIN) throw Error(Errc::unreachable, fmt::format("{}: {}", path, std::strerror(error)));
        co_await sleep_for(std::chrono::milliseconds(50), deadline);
    }
}

std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

QmpClient::QmpClient(asio::local::stream_protocol::socket socket, std::string name)
    : socket_(std::move(socket)), name_(std::move(name)) {}
QmpClient::~QmpClient() = default;

asio::awaitable<std::unique_ptr<QmpClient>> QmpClient::connect(std::string path, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    const Deadline patience = deadline.child(greeting_limit);
    std::exception_ptr late;
    try {
        const int descriptor = co_await connect_descriptor(path, patience);
        asio::local::stream_protocol::socket socket(executor, asio::local::stream_protocol(), descriptor);
        auto client = co_await negotiate(std::move(socket), path, patience);
        co_return client;
    } catch (const Error& error) {
        if (error.code() != Errc::timed_out) throw;
    }
    deadline.check();  // a time-out of the caller is his own
    throw Error(Errc::unreachable, fmt::format("{}: no greeting within {} s: another program is connected to it, or QEMU hangs",
                                               path, greeting_limit.count()));
}

asio::awaitable<std::unique_ptr<QmpClient>> QmpClient::negotiate(asio::local::stream_protocol::socket socket, std::string name,
                                                                 Deadline deadline) {
    std::unique_ptr<QmpClient> client(new QmpClient(std::move(socket), std::move(name)));
    const json greeting = co_await client->next_message(deadline);
    const auto qmp = greeting.find("QMP");
    if (qmp == greeting.end() || !qmp->is_object())
        throw Error(Errc::unreachable, fmt::format("{}: this is no QMP: {:.80}", client->name_, greeting.dump()));
    const json version = qmp->value("version", json::object()).value("qemu", json::object());
    client->version_ = fmt::format("{}.{}.{}", version.value("major", 0), version.value("minor", 0), version.value("micro", 0));
    co_await client->execute("qmp_capabilities", deadline);
    co_return client;
}

asio::awaitable<json> QmpClient::execute(std::string command, Deadline deadline) {
    json none;
    json result = co_await execute(std::move(command), std::move(none), deadline);
    co_return result;
}

asio::awaitable<json> QmpClient::execute(std::string command, json arguments, Deadline deadline) {
    const long long id = next_id_++;
    json request = {{"execute", command}, {"id", id}};
    if (!arguments.is_null()) request["arguments"] = std::move(arguments);
    const std::string line = request.dump() + "\n";
    {
        const auto executor = co_await asio::this_coro::executor;
        const Watchdog guard(executor, deadline, [this] { socket_.cancel(); });
        asio::error_code error;
        co_await asio::async_write(socket_, asio::buffer(line), asio::redirect_error(asio::use_awaitable, error));
        if (guard.fired()) deadline.raise();
        if (error) throw Error(Errc::transport_lost, fmt::format("{}: {}: {}", name_, command, error.message()));
    }
    for (;;) {
        const json answer = co_await next_message(deadline);
        if (answer.contains("event")) continue;  // kept by next_message
        if (answer.value("id", json()) != json(id)) {
            // QEMU answers what it could not parse without an id.
            if (!answer.contains("error") || answer.contains("id")) continue;
        }
        if (const auto failure = answer.find("error"); failure != answer.end())
            throw Error(Errc::step_failed,
                        fmt::format("QEMU refused {}: {}: {}", command, text_of(*failure, "class"), text_of(*failure, "desc")));
        co_return answer.value("return", json::object());
    }
}

asio::awaitable<QmpEvent> QmpClient::wait_event(std::vector<std::string> names, Deadline deadline) {
    for (;;) {
        while (!events_.empty()) {
            QmpEvent event = std::move(events_.front());
            events_.pop_front();
            if (std::find(names.begin(), names.end(), event.name) != names.end()) co_return event;
        }
        co_await next_message(deadline);
    }
}

asio::awaitable<json> QmpClient::next_message(Deadline deadline) {
    const std::string line = co_await next_line(deadline);
    json message = json::parse(line, nullptr, false);
    if (!message.is_object()) throw Error(Errc::transport_lost, fmt::format("{}: not a JSON object: {:.80}", name_, line));
    if (message.contains("event"))
        events_.push_back({text_of(message, "event"), message.contains("data") ? message["data"].dump() : std::string()});
    co_return message;
}

asio::awaitable<std::string> QmpClient::next_line(Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    for (;;) {
        if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
            std::string line = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            if (line.empty() || line == "\r") continue;
            co_return line;
        }
        if (pending_.size() > longest_line) throw Error(Errc::transport_lost, fmt::format("{}: a line without an end", name_));
        std::array<char, 8192> chunk;
        asio::error_code error;
        std::size_t got = 0;
        const Watchdog guard(executor, deadline, [this] { socket_.cancel(); });
        got = co_await socket_.async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
        pending_.append(chunk.data(), got);
        if (error && guard.fired()) deadline.raise();
        if (error) throw Error(Errc::transport_lost, fmt::format("{}: QEMU closed it: {}", name_, error.message()));
    }
}

}  // namespace ov
