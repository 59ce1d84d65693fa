// QEMU's machine protocol over its UNIX socket: one JSON object a line, answers matched by id, events kept until asked for.
//
// QEMU serves one client of a socket at a time; another one waits for its greeting. So a connection is kept only as long as a
// verb needs it. One coroutine uses a client; there is no reader in the background.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ov/deadline.hpp"

namespace ov {

struct QmpEvent {
    std::string name;
    std::string data;  ///< JSON object; empty when there is none
};

class QmpClient {
public:
    /// Connects, takes the greeting, negotiates capabilities. Error{not_found}: no socket; Error{unreachable}: nobody listens
    /// or another client holds it.
    static asio::awaitable<std::unique_ptr<QmpClient>> connect(std::string path, Deadline deadline);
    /// From a connected socket.
    static asio::awaitable<std::unique_ptr<QmpClient>> negotiate(asio::local::stream_protocol::socket socket, std::string name,
                                                                 Deadline deadline);
    ~QmpClient();

    /// Value of `return`. Error{step_failed} with QEMU's class and description; Error{transport_lost} when QEMU closed.
    asio::awaitable<nlohmann::json> execute(std::string command, Deadline deadline);
    asio::awaitable<nlohmann::json> execute(std::string command, nlohmann::json arguments, Deadline deadline);

    /// The next event with one of these names; others before it are dropped. Error{transport_lost} when QEMU closed.
    asio::awaitable<QmpEvent> wait_event(std::vector<std::string> names, Deadline deadline);

    /// QEMU's version from the greeting: "7.2.22".
    const std::string& version() const noexcept { return version_; }

private:
    QmpClient(asio::local::stream_protocol::socket socket, std::string name);
    asio::awaitable<nlohmann::json> next_message(Deadline deadline);
    asio::awaitable<std::string> next_line(Deadline deadline);

    asio::local::stream_protocol::socket socket_;
    std::string name_;  ///< for messages
    std::string version_, pending_;
    std::deque<QmpEvent> events_;
    long long next_id_ = 1;
};

}  // namespace ov
