// A small client of VNC's protocol (RFB 3.8, RFC 6143): what is on the screen, keys, the pointer. Raw encoding only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/display_socket.hpp"
#include "backend/screen_image.hpp"

namespace ov {

/// What the server said of itself.
struct RfbServer {
    std::string version;               ///< "003.008"
    std::vector<unsigned> securities;  ///< 1: none, 2: password
    unsigned width = 0, height = 0;
    std::string name;
};

/// A connection that has been let in. One coroutine uses it.
class RfbClient {
public:
    /// Error{auth_failed} when the server wants a password and has none or another, Error{unsupported} when it wants something
    /// that is not spoken here, Error{transport_lost} when it speaks no RFB.
    static asio::awaitable<std::unique_ptr<RfbClient>> negotiate(DisplaySocket socket, std::string password, Deadline deadline);

    const RfbServer& server() const noexcept { return server_; }
    asio::awaitable<ScreenImage> screenshot(Deadline deadline);
    /// `buttons`: bit 0 is the left one.
    asio::awaitable<void> pointer(unsigned x, unsigned y, unsigned buttons, Deadline deadline);
    asio::awaitable<void> key(std::uint32_t symbol, bool down, Deadline deadline);
    /// Returns when the server has dealt with everything that was sent before.
    asio::awaitable<void> flush(Deadline deadline);

private:
    explicit RfbClient(DisplaySocket socket) : socket_(std::move(socket)) {}
    asio::awaitable<void> choose_security(std::string password, Deadline deadline);
    asio::awaitable<void> answer_challenge(std::string password, Deadline deadline);
    asio::awaitable<std::string> reason(Deadline deadline);
    asio::awaitable<void> ask_image(unsigned width, unsigned height, Deadline deadline);
    asio::awaitable<std::size_t> take_rectangles(ScreenImage* image, Deadline deadline);

    DisplaySocket socket_;
    RfbServer server_;
};

}  // namespace ov
