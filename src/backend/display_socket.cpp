#include "backend/display_socket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <pugixml.hpp>
#include <sstream>

#include "async/watchdog.hpp"

namespace ov {

namespace {

using Socket = asio::generic::stream_protocol::socket;
using Endpoint = asio::generic::stream_protocol::endpoint;

/// A display that listens on every address is reached at the loopback one.
Endpoint endpoint_of(const DisplayPlace& place) {
    if (!place.socket.empty()) return asio::local::stream_protocol::endpoint(place.socket);
    const bool everywhere = place.host.empty() || place.host == "0.0.0.0";
    const std::string host = everywhere ? "127.0.0.1" : place.host == "::" ? "::1" : place.host;
    asio::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) throw Error(Errc::unreachable, fmt::format("{}: {}: not an address", place.name(), host));
    return asio::ip::tcp::endpoint(address, static_cast<std::uint16_t>(place.port));
}

/// The listener that can be reached from here: a socket, an address, else what the element itself says.
void take_listener(const pugi::xml_node& graphics, DisplayPlace& place) {
    place.host = graphics.attribute("listen").value();
    for (const pugi::xml_node listen : graphics.children("listen")) {
        const std::string_view type = listen.attribute("type").value();
        if (type == "socket") place.socket = listen.attribute("socket").value();
        if (type == "address" || type == "network") place.host = listen.attribute("address").value();
    }
    if (place.socket.empty()) place.socket = graphics.attribute("socket").value();
}

}  // namespace

std::string DisplayPlace::name() const {
    if (!socket.empty()) return socket;
    return fmt::format("{}:{}", host.empty() ? "127.0.0.1" : host, port);
}

std::vector<DisplayPlace> displays_in(std::string_view domain_xml) {
    pugi::xml_document document;
    document.load_buffer(domain_xml.data(), domain_xml.size());
    std::vector<DisplayPlace> all;
    for (const pugi::xml_node graphics : document.child("domain").child("devices").children("graphics")) {
        DisplayPlace place;
        place.type = graphics.attribute("type").value();
        place.port = std::max(graphics.attribute("port").as_int(), 0);
        place.password = graphics.attribute("passwd").value();
        take_listener(graphics, place);
        all.push_back(std::move(place));
    }
    return all;
}

std::string display_with_password(std::string_view domain_xml, std::string_view type, const std::string& password) {
    pugi::xml_document document;
    document.load_buffer(domain_xml.data(), domain_xml.size());
    for (pugi::xml_node graphics : document.child("domain").child("devices").children("graphics")) {
        const std::string_view kind = graphics.attribute("type").value();
        if ((kind != "vnc" && kind != "spice") || (!type.empty() && kind != type)) continue;
        graphics.remove_attribute("passwd");
        graphics.append_attribute("passwd") = password.c_str();
        std::ostringstream text;
        graphics.print(text, "", pugi::format_raw);
        return text.str();
    }
    return {};
}

asio::awaitable<DisplaySocket> DisplaySocket::connect(DisplayPlace place, Deadline deadline) {
    if (place.socket.empty() && place.port == 0)
        throw Error(Errc::unreachable, fmt::format("the {} display listens nowhere", place.type));
    const auto executor = co_await asio::this_coro::executor;
    const Endpoint endpoint = endpoint_of(place);
    Socket socket(executor);
    asio::error_code error;
    {
        const Watchdog guard(executor, deadline, [&socket] {
            asio::error_code ignored;  // the wait ends either way
            socket.close(ignored);
        });
        co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
        if (error && guard.fired()) deadline.raise();
    }
    if (error) throw Error(Errc::unreachable, fmt::format("the {} display at {}: {}", place.type, place.name(), error.message()));
    co_return DisplaySocket(std::move(socket), fmt::format("the {} display at {}", place.type, place.name()));
}

asio::awaitable<std::string> DisplaySocket::read(std::size_t count, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    std::string bytes(count, '\0');
    asio::error_code error;
    const Watchdog guard(executor, deadline, [this] { socket_.cancel(); });
    co_await asio::async_read(socket_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    if (error && guard.fired()) deadline.raise();
    if (error) throw Error(Errc::transport_lost, fmt::format("{}: {}", name_, error.message()));
    co_return bytes;
}

asio::awaitable<void> DisplaySocket::write(std::string bytes, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    asio::error_code error;
    const Watchdog guard(executor, deadline, [this] { socket_.cancel(); });
    co_await asio::async_write(socket_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    if (error && guard.fired()) deadline.raise();
    if (error) throw Error(Errc::transport_lost, fmt::format("{}: {}", name_, error.message()));
}

}  // namespace ov
