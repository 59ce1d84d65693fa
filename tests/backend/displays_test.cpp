#include <doctest/doctest.h>

#include "async/task_group.hpp"
#include "backend/key_symbols.hpp"
#include "backend/rfb.hpp"
#include "backend/rfb_password.hpp"
#include "backend/spice_link.hpp"
#include "base/endian.hpp"
#include "support/fake_display.hpp"
#include "support/run_loop.hpp"

using namespace std::chrono_literals;
using namespace ov;
using test::DisplayTurn;

namespace {

using Talk = std::function<asio::awaitable<std::string>(DisplaySocket, Deadline)>;

/// What the talk with the server gave, or the error that ended it.
std::string talk(std::vector<DisplayTurn> turns, Talk body, std::string* heard = nullptr) {
    std::string outcome, sent;
    test::run([&]() -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        test::LocalSocket ours(executor), theirs(executor);
        asio::local::connect_pair(ours, theirs);
        auto work = [&](TaskGroup& group) -> asio::awaitable<void> {
            group.spawn(test::play_display(theirs, turns, sent));
            const Deadline deadline = Deadline::unlimited().child(2s);
            try {
                outcome = co_await body(DisplaySocket(std::move(ours), "peer"), deadline);
            } catch (const Error& error) {
                outcome = std::string(to_string(error.code())) + ": " + error.what();
                theirs.close();
            }
        };
        co_await with_task_group(Deadline::unlimited(), work);
    });
    if (heard != nullptr) *heard = sent;
    return outcome;
}

Talk vnc(std::string password, std::function<asio::awaitable<std::string>(RfbClient&, Deadline)> use = {}) {
    return [password, use](DisplaySocket socket, Deadline deadline) -> asio::awaitable<std::string> {
        const auto client = co_await RfbClient::negotiate(std::move(socket), password, deadline);
        if (use) {
            std::string said = co_await use(*client, deadline);
            co_return said;
        }
        const RfbServer& server = client->server();
        co_return server.version + " " + std::to_string(server.width) + "x" + std::to_string(server.height) + " " + server.name;
    };
}

const std::string no(4, '\0'), yes_it_fails("\x00\x00\x00\x01", 4);

std::string counted(std::string text) {
    return big_endian(static_cast<std::uint32_t>(text.size()), 4) + text;
}

}  // namespace

TEST_CASE("RFB: the handshake of a server without a password, with one, and of everything that is none") {
    std::string challenge;
    for (char c = 0; c < 16; ++c) challenge += c;
    const DisplayTurn hello{0, "RFB 003.008\n"};
    std::vector<DisplayTurn> locked = {hello, {12, "\x01\x02"}, {1, challenge}, {16, no}};
    for (std::size_t i = 3; i < test::open_vnc().size(); ++i) locked.push_back(test::open_vnc()[i]);
    struct Row {
        const char* name;
        std::vector<DisplayTurn> turns;
        std::string password, outcome;
    };
    const Row rows[] = {
        {"open", test::open_vnc(), "", "003.008 2x1 test"},
        {"with a password", locked, "secret", "003.008 2x1 test"},
        {"without the password", {hello, {12, "\x01\x02"}}, "", "auth_failed: peer: it asks for a password"},
        {"a wrong password",
         {hello, {12, "\x01\x02"}, {1, challenge}, {16, yes_it_fails + counted("no such luck")}},
         "x",
         "auth_failed: peer: it let nobody in: no such luck"},
        {"refused",
         {hello, {12, std::string(1, '\0') + counted("too many")}},
         "",
         "unreachable: peer: it refused the connection: too many"},
        {"TLS only",
         {hello, {12, "\x01\x13"}},
         "",
         "unsupported: peer: it offers the securities 19; 1 (none) and 2 (password) are spoken here"},
        {"an old one", {{0, "RFB 003.003\n"}}, "", "unsupported: peer: it speaks RFB 003.003; 003.008 is needed"},
        {"another protocol", {{0, "SSH-2.0-OpenSSH_9"}}, "", "transport_lost: peer: this is no VNC server"},
        {"nothing", {}, "", "timed_out: "},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::string outcome = talk(row.turns, vnc(row.password));
        CHECK(outcome.substr(0, row.outcome.size()) == row.outcome);
    }
}

TEST_CASE("RFB: a password is DES over the challenge, with the bits of the key the other way round") {
    std::string challenge, expected("\xee\x22\x53\x9f\x33\xa5\x98\x3e\xc1\x2f\x9c\x2e\xdb\xc9\x95\xdd");
    for (char c = 0; c < 16; ++c) challenge += c;
    CHECK(rfb_response(challenge, "secret") == expected);
    CHECK(rfb_response(challenge, "secrets!more") == rfb_response(challenge, "secrets!"));
}

TEST_CASE("RFB: a screen comes in pieces, between other messages; keys and the pointer go out") {
    const auto shot = vnc("", [](RfbClient& client, Deadline deadline) -> asio::awaitable<std::string> {
        ScreenImage image = co_await client.screenshot(deadline);
        co_return image.rgb;
    });
    std::string heard;
    CHECK(talk(test::open_vnc({{10, test::two_pixels()}}), shot, &heard) == std::string("\xFF\x00\x00\x00\x00\xFF", 6));
    CHECK(heard.substr(heard.size() - 10) == std::string("\x03\x00\x00\x00\x00\x00\x00\x02\x00\x01", 10));

    const auto inputs = vnc("", [](RfbClient& client, Deadline deadline) -> asio::awaitable<std::string> {
        co_await client.key(0xFF0D, true, deadline);
        co_await client.pointer(1, 0, 1, deadline);
        co_await client.flush(deadline);
        co_return std::string("flushed");
    });
    CHECK(talk(test::open_vnc({{24, test::two_pixels()}}), inputs, &heard) == "flushed");
    CHECK(heard.substr(heard.size() - 24, 14) == std::string("\x04\x01\x00\x00\x00\x00\xFF\x0D\x05\x01\x00\x01\x00\x00", 14));

    // A piece that is larger than the screen writes nowhere.
    std::string large = test::two_pixels();
    large[10] = '\x7F';
    CHECK(talk(test::open_vnc({{10, large}}), shot) == "transport_lost: peer: a piece of the screen that was not asked for");
    CHECK(talk(test::open_vnc({{10, "\x09"}}), shot) == "transport_lost: peer: a message 9 of unknown form");
}

TEST_CASE("a screenshot is a PPM, or a PNG where its name says so") {
    const ScreenImage image{2, 1, std::string("\xFF\x00\x00\x00\x00\xFF", 6)};
    CHECK(encode_image(image, "shot.ppm") == "P6\n2 1\n255\n" + image.rgb);
    const std::string png = encode_image(image, "shot.png");
    CHECK(png.substr(0, 16) == std::string("\x89PNG\r\n\x1A\n\x00\x00\x00\x0DIHDR", 16));
    CHECK(big_endian(png.substr(16, 4)) == 2);
    CHECK(png.substr(41, 7) == std::string("\x78\x01\x01\x07\x00\xF8\xFF", 7));  // one stored block of seven bytes
    CHECK(png.substr(png.size() - 8) == std::string("IEND\xAE\x42\x60\x82", 8));
}

TEST_CASE("keys by name, and the keys that type a text") {
    using Symbols = std::vector<std::uint32_t>;
    const std::pair<const char*, Symbols> rows[] = {{"Return", {0xFF0D}},
                                                    {"ret", {0xFF0D}},
                                                    {"a", {'a'}},
                                                    {"A", {'A'}},
                                                    {"F12", {0xFFC9}},
                                                    {"ctrl-alt-F2", {0xFFE3, 0xFFE9, 0xFFBF}},
                                                    {"ctrl+alt+Delete", {0xFFE3, 0xFFE9, 0xFFFF}},
                                                    {"ctrl--", {0xFFE3, '-'}},
                                                    {"+", {'+'}},
                                                    {"ä", {0xE4}},
                                                    {"€", {0x010020AC}}};
    for (const auto& [name, symbols] : rows) {
        CAPTURE(name);
        CHECK(key_symbols(name) == symbols);
    }
    for (const char* wrong : {"", "ctrl-nokey", "f25", "ctrl+return2"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(key_symbols(wrong), Error);
    }
    CHECK(typed_symbols("aB!\n") == std::vector<Symbols>{{'a'}, {0xFFE1, 'B'}, {0xFFE1, '!'}, {0xFF0D}});
}

TEST_CASE("SPICE: a link that is accepted, one that is refused, and no SPICE") {
    const Talk status = [](DisplaySocket socket, Deadline deadline) -> asio::awaitable<std::string> {
        std::string said = co_await spice_status(std::move(socket), deadline);
        co_return said;
    };
    const auto reply = [](std::uint32_t error, std::size_t key) {
        const std::string body =
            little_endian(error, 4) + std::string(key, 'k') + little_endian(1, 4) + little_endian(2, 4) + little_endian(178, 4);
        return "REDQ" + little_endian(2, 4) + little_endian(2, 4) + little_endian(static_cast<std::uint32_t>(body.size()), 4) +
               body;
    };
    std::string heard;
    CHECK(talk({{38, reply(0, 162)}}, status, &heard) == "SPICE 2.2, main channel, 1 common and 2 channel capability words");
    CHECK(heard.substr(0, 4) == "REDQ");
    CHECK(little_endian(heard.substr(12, 4)) == heard.size() - 16);
    CHECK(talk({{38, reply(7, 162)}}, status) == "unreachable: peer: it refused the link: permission denied (7)");
    CHECK(talk({{38, reply(0, 3)}}, status) == "transport_lost: peer: its answer is too short");
    CHECK(talk({{38, "RFB 003.008\nxxxxxxxx"}}, status) == "transport_lost: peer: this is no SPICE server");
}

TEST_CASE("displays of a domain: where each listens, and one of them with another password") {
    const std::string xml = R"(<domain><devices>
        <graphics type='vnc' port='5901' autoport='yes' listen='127.0.0.1' passwd='old'><listen type='address' address='127.0.0.1'/></graphics>
        <graphics type='spice'><listen type='socket' socket='/run/spice.sock'/></graphics>
        <graphics type='vnc' port='-1' autoport='yes'/>
        <graphics type='egl-headless'/></devices></domain>)";
    const auto all = displays_in(xml);
    REQUIRE(all.size() == 4);
    CHECK(all[0].name() == "127.0.0.1:5901");
    CHECK(all[0].password == "old");
    CHECK(all[1].type + " " + all[1].name() == "spice /run/spice.sock");
    CHECK(all[2].port == 0);
    CHECK(displays_in("nonsense").empty());
    const std::string changed = display_with_password(xml, "vnc", "n<w");
    CHECK(changed.find("passwd=\"n&lt;w\"") != std::string::npos);
    CHECK(changed.find("port=\"5901\"") != std::string::npos);
    CHECK(changed.find("old") == std::string::npos);
    CHECK(display_with_password(xml, "", "x").starts_with("<graphics type=\"vnc\""));
    CHECK(display_with_password(xml, "rdp", "x").empty());
}
