// Where a machine's display listens, and a connection to it that reads and writes whole messages.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ov/deadline.hpp"

namespace ov {

/// A display of a running domain. `socket` or `host` and `port`; neither: it listens nowhere.
struct DisplayPlace {
    std::string type;  ///< "vnc", "spice", ...
    std::string socket, host, password;
    int port = 0;
    std::string name() const;  ///< for messages: "127.0.0.1:5900" or the socket's path
};

/// The displays of a live domain document; nothing when it is no domain.
std::vector<DisplayPlace> displays_in(std::string_view domain_xml);

/// The display of this type (empty: the first that takes one) as a document of its own, with another password. Empty: none.
std::string display_with_password(std::string_view domain_xml, std::string_view type, const std::string& password);

class DisplaySocket {
public:
    /// Error{unreachable} naming the place. Its host is an address.
    static asio::awaitable<DisplaySocket> connect(DisplayPlace place, Deadline deadline);
    DisplaySocket(asio::generic::stream_protocol::socket socket, std::string name)
        : socket_(std::move(socket)), name_(std::move(name)) {}

    /// Exactly so many bytes. Error{transport_lost} when the peer ends before.
    asio::awaitable<std::string> read(std::size_t count, Deadline deadline);
    asio::awaitable<void> write(std::string bytes, Deadline deadline);
    const std::string& name() const noexcept { return name_; }

private:
    asio::generic::stream_protocol::socket socket_;
    std::string name_;
};

}  // namespace ov
