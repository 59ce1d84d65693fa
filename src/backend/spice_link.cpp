#include "backend/spice_link.hpp"

#include <fmt/format.h>

#include "base/endian.hpp"

namespace ov {

namespace {

constexpr std::string_view magic = "REDQ";
constexpr std::uint32_t major = 2, minor = 2;
constexpr std::uint32_t longest_reply = 4096, key_bytes = 162;
constexpr std::uint32_t main_channel = 1, protocol_auth_selection = 1;

/// SpiceLinkHeader and SpiceLinkMess with one word of common capabilities.
std::string link_message() {
    std::string body = little_endian(0, 4);  // a new session
    body += little_endian(main_channel, 1) + little_endian(0, 1);
    body += little_endian(1, 4) + little_endian(0, 4);  // words of common and of channel capabilities
    body += little_endian(18, 4);                       // where they begin in this body
    body += little_endian(protocol_auth_selection, 4);
    return std::string(magic) + little_endian(major, 4) + little_endian(minor, 4) +
           little_endian(static_cast<std::uint32_t>(body.size()), 4) + body;
}

std::string_view refusal(std::uint32_t error) {
    constexpr std::string_view words[] = {"ok",        "error",       "invalid magic",     "invalid data",   "other version",
                                          "needs TLS", "no TLS here", "permission denied", "bad connection", "no such channel"};
    return error < std::size(words) ? words[error] : "unknown";
}

}  // namespace

asio::awaitable<std::string> spice_status(DisplaySocket socket, Deadline deadline) {
    co_await socket.write(link_message(), deadline);
    const std::string head = co_await socket.read(16, deadline);
    const auto number = [](std::string_view bytes, std::size_t at) { return little_endian(bytes.substr(at, 4)); };
    const std::uint32_t size = number(head, 12);
    if (!head.starts_with(magic) || size < 4 || size > longest_reply)
        throw Error(Errc::transport_lost, fmt::format("{}: this is no SPICE server", socket.name()));
    const std::string body = co_await socket.read(size, deadline);
    const std::uint32_t error = number(body, 0);
    if (error != 0)
        throw Error(Errc::unreachable, fmt::format("{}: it refused the link: {} ({})", socket.name(), refusal(error), error));
    if (size < 4 + key_bytes + 12) throw Error(Errc::transport_lost, fmt::format("{}: its answer is too short", socket.name()));
    co_return fmt::format("SPICE {}.{}, main channel, {} common and {} channel capability words", number(head, 4),
                          number(head, 8), number(body, 4 + key_bytes), number(body, 8 + key_bytes));
}

}  // namespace ov
