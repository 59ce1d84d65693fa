#include "backend/rfb.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backend/rfb_password.hpp"
#include "base/endian.hpp"

namespace ov {

namespace {

constexpr unsigned no_security = 1, password_security = 2;
/// No screen is larger; a peer that says otherwise must not fill the memory.
constexpr unsigned longest_side = 16384;
constexpr std::uint32_t longest_text = 1U << 20U;

std::string joined(const std::vector<unsigned>& numbers) {
    return fmt::format("{}", fmt::join(numbers, ", "));
}

/// 32 bits a pixel in the order red, green, blue, nothing.
std::string pixel_format() {
    const std::string bits = std::string("\x20\x18", 2) + std::string("\x00\x01", 2);  // depth 24, small end first, true colour
    const std::string most = big_endian(255, 2) + big_endian(255, 2) + big_endian(255, 2);
    const std::string shifts("\x00\x08\x10", 3);
    return bits + most + shifts + std::string(3, '\0');
}

}  // namespace

asio::awaitable<std::unique_ptr<RfbClient>> RfbClient::negotiate(DisplaySocket socket, std::string password, Deadline deadline) {
    std::unique_ptr<RfbClient> client(new RfbClient(std::move(socket)));
    DisplaySocket& peer = client->socket_;
    const std::string greeting = co_await peer.read(12, deadline);
    if (!greeting.starts_with("RFB ") || greeting.back() != '\n')
        throw Error(Errc::transport_lost, fmt::format("{}: this is no VNC server", peer.name()));
    client->server_.version = greeting.substr(4, 7);
    if (client->server_.version < "003.008")
        throw Error(Errc::unsupported,
                    fmt::format("{}: it speaks RFB {}; 003.008 is needed", peer.name(), client->server_.version));
    co_await peer.write("RFB 003.008\n", deadline);
    co_await client->choose_security(std::move(password), deadline);
    co_await peer.write("\x01", deadline);  // other viewers stay
    const std::string init = co_await peer.read(24, deadline);
    client->server_.width = big_endian(std::string_view(init).substr(0, 2));
    client->server_.height = big_endian(std::string_view(init).substr(2, 2));
    const std::uint32_t length = big_endian(std::string_view(init).substr(20, 4));
    if (client->server_.width > longest_side || client->server_.height > longest_side || length > longest_text)
        throw Error(Errc::transport_lost, fmt::format("{}: it describes no screen", peer.name()));
    client->server_.name = co_await peer.read(length, deadline);
    std::string settings = std::string(4, '\0') + pixel_format();
    settings += std::string("\x02\x00", 2) + big_endian(1, 2) + big_endian(0, 4);  // encodings: raw
    co_await peer.write(std::move(settings), deadline);
    co_return client;
}

asio::awaitable<void> RfbClient::choose_security(std::string password, Deadline deadline) {
    const std::string count = co_await socket_.read(1, deadline);
    if (count.front() == '\0') {
        const std::string why = co_await reason(deadline);
        throw Error(Errc::unreachable, fmt::format("{}: it refused the connection: {}", socket_.name(), why));
    }
    const std::string types = co_await socket_.read(static_cast<unsigned char>(count.front()), deadline);
    for (const char type : types) server_.securities.push_back(static_cast<unsigned char>(type));
    const auto offers = [this](unsigned type) { return std::ranges::find(server_.securities, type) != server_.securities.end(); };
    if (offers(no_security)) {
        co_await socket_.write("\x01", deadline);
    } else if (offers(password_security)) {
        if (password.empty()) throw Error(Errc::auth_failed, fmt::format("{}: it asks for a password", socket_.name()));
        co_await socket_.write("\x02", deadline);
        co_await answer_challenge(std::move(password), deadline);
    } else {
        throw Error(Errc::unsupported, fmt::format("{}: it offers the securities {}; 1 (none) and 2 (password) are spoken here",
                                                   socket_.name(), joined(server_.securities)));
    }
    const std::string result = co_await socket_.read(4, deadline);
    if (big_endian(result) == 0) co_return;
    const std::string why = co_await reason(deadline);
    throw Error(Errc::auth_failed, fmt::format("{}: it let nobody in: {}", socket_.name(), why));
}

asio::awaitable<void> RfbClient::answer_challenge(std::string password, Deadline deadline) {
    const std::string challenge = co_await socket_.read(16, deadline);
    co_await socket_.write(rfb_response(challenge, password), deadline);
}

asio::awaitable<std::string> RfbClient::reason(Deadline deadline) {
    const std::string head = co_await socket_.read(4, deadline);
    const std::uint32_t length = std::min(big_endian(head), longest_text);
    std::string text = co_await socket_.read(length, deadline);
    co_return text;
}

asio::awaitable<void> RfbClient::ask_image(unsigned width, unsigned height, Deadline deadline) {
    std::string request = big_endian(3, 1) + big_endian(0, 1);  // all of it, not what changed
    request += big_endian(0, 2) + big_endian(0, 2) + big_endian(width, 2) + big_endian(height, 2);
    co_await socket_.write(std::move(request), deadline);
}

/// Reads up to the end of one update of the screen. Returns how many pixels it had.
asio::awaitable<std::size_t> RfbClient::take_rectangles(ScreenImage* image, Deadline deadline) {
    for (;;) {
        const std::string type = co_await socket_.read(1, deadline);
        if (type.front() == 0) break;
        if (type.front() == 2) continue;  // bell
        std::size_t more = 0;
        if (type.front() == 1) {  // colours of a palette
            const std::string head = co_await socket_.read(5, deadline);
            more = std::size_t{6} * big_endian(std::string_view(head).substr(3, 2));
        } else if (type.front() == 3) {  // the guest's clipboard
            const std::string head = co_await socket_.read(7, deadline);
            more = std::min(big_endian(std::string_view(head).substr(3, 4)), longest_text);
        } else {
            throw Error(Errc::transport_lost, fmt::format("{}: a message {} of unknown form", socket_.name(), int{type.front()}));
        }
        co_await socket_.read(more, deadline);
    }
    const std::string head = co_await socket_.read(3, deadline);
    const unsigned count = big_endian(std::string_view(head).substr(1, 2));
    std::size_t pixels = 0;
    for (unsigned i = 0; i < count; ++i) {
        const std::string place = co_await socket_.read(12, deadline);
        const auto number = [&place](std::size_t at) { return big_endian(std::string_view(place).substr(at, 2)); };
        const unsigned x = number(0), y = number(2), width = number(4), height = number(6);
        if (big_endian(std::string_view(place).substr(8, 4)) != 0 || x + width > server_.width || y + height > server_.height)
            throw Error(Errc::transport_lost, fmt::format("{}: a piece of the screen that was not asked for", socket_.name()));
        const std::string raw = co_await socket_.read(std::size_t{4} * width * height, deadline);
        pixels += std::size_t{width} * height;
        if (image == nullptr) continue;
        for (std::size_t row = 0; row < height; ++row)
            for (std::size_t column = 0; column < width; ++column)
                image->rgb.replace(3 * ((y + row) * image->width + x + column), 3, raw, 4 * (row * width + column), 3);
    }
    co_return pixels;
}

asio::awaitable<ScreenImage> RfbClient::screenshot(Deadline deadline) {
    ScreenImage image{server_.width, server_.height, std::string(std::size_t{3} * server_.width * server_.height, '\0')};
    co_await ask_image(image.width, image.height, deadline);
    const std::size_t wanted = std::size_t{image.width} * image.height;
    for (std::size_t got = 0; got < wanted;) {
        const std::size_t pixels = co_await take_rectangles(&image, deadline);
        got += pixels;
    }
    co_return image;
}

asio::awaitable<void> RfbClient::pointer(unsigned x, unsigned y, unsigned buttons, Deadline deadline) {
    std::string event = big_endian(5, 1) + big_endian(buttons, 1) + big_endian(x, 2) + big_endian(y, 2);
    co_await socket_.write(std::move(event), deadline);
}

asio::awaitable<void> RfbClient::key(std::uint32_t symbol, bool down, Deadline deadline) {
    std::string event = big_endian(4, 1) + big_endian(down ? 1 : 0, 1) + big_endian(0, 2) + big_endian(symbol, 4);
    co_await socket_.write(std::move(event), deadline);
}

asio::awaitable<void> RfbClient::flush(Deadline deadline) {
    if (server_.width == 0 || server_.height == 0) co_return;
    co_await ask_image(1, 1, deadline);
    for (std::size_t got = 0; got == 0;) {
        const std::size_t pixels = co_await take_rectangles(nullptr, deadline);
        got = pixels;
    }
}

}  // namespace ov
