// A client for the SSH agent that never blocks the loop: libssh2's own one does.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <memory>
#include <string>
#include <vector>

#include "ov/deadline.hpp"

namespace ov {

struct AgentKey {
    std::string blob;  ///< public key in wire form
    std::string comment;
    std::string type() const;
};

/// One connection. Requests are answered in order; keep to one at a time.
class SshAgent {
public:
    /// Throws Error{io} naming the socket when nobody answers there.
    static asio::awaitable<std::unique_ptr<SshAgent>> connect(std::string socket_path, Deadline deadline);

    explicit SshAgent(asio::local::stream_protocol::socket socket) : socket_(std::move(socket)) {}
    asio::awaitable<std::vector<AgentKey>> keys(Deadline deadline);
    /// The signature in wire form (type, blob). Throws Error{auth_failed} when the agent refuses.
    asio::awaitable<std::string> sign(AgentKey key, std::string data, Deadline deadline);

private:
    asio::awaitable<std::string> request(std::string payload, Deadline deadline);
    asio::local::stream_protocol::socket socket_;
};

}  // namespace ov
