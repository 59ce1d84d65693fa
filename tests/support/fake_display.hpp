// A display server for one connection: sends what it is told to, after it has read what it is told to.
#pragma once

#include <asio/buffer.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <string>
#include <vector>

namespace ov::test {

/// One turn of the server: it reads so many bytes, then says this.
struct DisplayTurn {
    std::size_t reads = 0;
    std::string says;
};

using LocalSocket = asio::local::stream_protocol::socket;

/// Plays all turns, then reads to the end. `heard`: all that came.
inline asio::awaitable<void> play_display(LocalSocket& socket, std::vector<DisplayTurn> turns, std::string& heard) {
    asio::error_code error;
    for (const DisplayTurn& turn : turns) {
        std::string bytes(turn.reads, '\0');
        co_await asio::async_read(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        heard += bytes;
        co_await asio::async_write(socket, asio::buffer(turn.says), asio::redirect_error(asio::use_awaitable, error));
    }
    char byte = '\0';
    for (;;) {
        co_await asio::async_read(socket, asio::buffer(&byte, 1), asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        heard += byte;
    }
}

/// A VNC server without a password that has a screen of 2x1 pixels; what is said after that comes from the caller.
inline std::vector<DisplayTurn> open_vnc(std::vector<DisplayTurn> more = {}) {
    const std::string init =
        std::string("\x00\x02\x00\x01", 4) + std::string(16, '\0') + std::string("\x00\x00\x00\x04", 4) + "test";
    std::vector<DisplayTurn> turns = {{0, "RFB 003.008\n"}, {12, "\x01\x01"}, {1, std::string(4, '\0')}, {1, init}, {28, ""}};
    turns.insert(turns.end(), more.begin(), more.end());
    return turns;
}

/// An update of the screen in raw form: red, then blue, in two pieces behind a bell.
inline std::string two_pixels() {
    const auto piece = [](char x, const char* pixel) {
        return std::string("\x00", 1) + x + std::string("\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00", 10) + std::string(pixel, 4);
    };
    return std::string("\x02") + std::string("\x00\x00\x00\x02", 4) + piece('\0', "\xFF\x00\x00\x00") +
           piece('\1', "\x00\x00\xFF\x00");
}

}  // namespace ov::test
