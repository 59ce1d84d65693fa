#include "lifecycle/display_method.hpp"

#include <doctest/doctest.h>

#include "async/task_group.hpp"
#include "base/endian.hpp"
#include "lifecycle/domain_method.hpp"
#include "support/fake_display.hpp"
#include "support/temp_tree.hpp"

using namespace std::chrono_literals;
using namespace ov;

namespace {

struct Answer {
    std::string said, heard;
};

/// The method against a server that listens on a socket of its own.
Answer ask(const std::string& verb, const std::string& method, std::map<std::string, std::string, std::less<>> texts,
           std::vector<test::DisplayTurn> turns, const test::TempTree& tree) {
    Runtime runtime(7);
    Answer answer;
    Check check;
    check.verb = verb;
    check.subject = method;
    check.texts = std::move(texts);
    DisplayPlace place;
    place.type = verb;
    place.socket = tree.path("display.sock");
    std::filesystem::remove(place.socket);
    asio::local::stream_protocol::acceptor acceptor(runtime.io, asio::local::stream_protocol::endpoint(place.socket));
    test::LocalSocket server(runtime.io);
    const auto serve = [&]() -> asio::awaitable<void> {
        asio::error_code error;
        co_await acceptor.async_accept(server, asio::redirect_error(asio::use_awaitable, error));
        if (!error) co_await test::play_display(server, turns, answer.heard);
    };
    const auto work = [&]() -> asio::awaitable<void> {
        auto body = [&](TaskGroup& group) -> asio::awaitable<void> {
            group.spawn(serve());
            try {
                const Deadline deadline = Deadline::unlimited().child(5s);
                const CommandResult result = co_await run_display_method(runtime, place, check, tree.path(), deadline);
                answer.said = result.out;
            } catch (const Error& error) {
                answer.said = std::string(to_string(error.code())) + ": " + error.what();
            }
            acceptor.close();
        };
        co_await with_task_group(Deadline::unlimited(), body);
    };
    runtime.run_until_done(work());
    return answer;
}

}  // namespace

TEST_CASE("vnc methods: what each says and sends (checks 9.1)") {
    test::TempTree tree;
    const auto flushed = [](std::size_t bytes) { return test::open_vnc({{bytes + 10, test::two_pixels()}}); };
    struct Row {
        const char* method;
        std::map<std::string, std::string, std::less<>> texts;
        std::size_t bytes;  ///< of input events
        std::string said;
    };
    const Row rows[] = {
        {"status", {}, 0, "RFB 003.008, 2x1, test\n"},
        {"rfb", {}, 0, "version=003.008 securities=1 size=2x1 name=test\n"},
        {"screenshot", {{"artifact", "shot.ppm"}}, 0, "shot.ppm 2x1\n"},
        {"click", {{"x", "1"}, {"y", "0"}}, 18, "clicked at 1,0\n"},
        {"mouse", {{"x", "1"}, {"y", "0"}}, 6, "pointer at 1,0\n"},
        {"mouse", {{"x", "2"}, {"y", "0"}}, 6, "usage: vnc mouse: x=2 is not on the screen (0 to 1)"},
        {"click", {{"x", "0"}, {"y", "-1"}}, 6, "usage: vnc click: y=-1 is not on the screen (0 to 0)"},
        {"type", {{"text", "aB"}}, 48, "typed 2 characters\n"},
        {"key", {{"key", "ctrl-c"}}, 32, "pressed ctrl-c\n"},
        {"key", {{"key", "nokey"}}, 0, "usage: key nokey: 'nokey' names no key"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.method);
        CAPTURE(row.said);
        CHECK(ask("vnc", row.method, row.texts, flushed(row.bytes), tree).said == row.said);
    }
    CHECK(tree.read("shot.ppm") == "P6\n2 1\n255\n" + std::string("\xFF\x00\x00\x00\x00\xFF", 6));
    const std::string keys = ask("vnc", "key", {{"key", "ctrl-c"}}, flushed(32), tree).heard;
    // Control down, c down, c up, control up.
    const std::string events = keys.substr(keys.size() - 42, 32);
    CHECK(std::string{events[1], events[9], events[17], events[25]} == std::string("\1\1\0\0", 4));
    CHECK(std::string{events[15], events[23]} == "cc");
}

TEST_CASE("spice methods: the link is spoken, the others name what to use instead") {
    test::TempTree tree;
    const std::string body = std::string(4, '\0') + std::string(162, 'k') + std::string(12, '\0');
    const std::string reply = "REDQ" + little_endian(2, 4) + little_endian(2, 4) + little_endian(178, 4) + body;
    CHECK(ask("spice", "status", {}, {{38, reply}}, tree).said ==
          "SPICE 2.2, main channel, 0 common and 0 channel capability words\n");
    CHECK(ask("spice", "screenshot", {{"artifact", "a"}}, {}, tree)
              .said.starts_with("unsupported: spice screenshot: of SPICE only the link is spoken here; `libvirt: screenshot`"));
    DisplayPlace nowhere;
    nowhere.type = "vnc";
    Runtime runtime(7);
    const auto work = [&]() -> asio::awaitable<void> {
        Check check;
        check.verb = "vnc";
        check.subject = "status";
        std::string said;
        try {
            co_await run_display_method(runtime, nowhere, check, ".", Deadline::unlimited());
        } catch (const Error& error) {
            said = error.what();
        }
        CHECK(said == "the vnc display listens nowhere");
    };
    runtime.run_until_done(work());
}

TEST_CASE("libvirt methods: the command of virsh for each (checks 9.1)") {
    const auto words = [](const std::string& method, std::map<std::string, std::string, std::less<>> texts = {}) {
        Check check;
        check.verb = "libvirt";
        check.subject = method;
        check.texts = std::move(texts);
        std::string line;
        for (const std::string& word : virsh_words(check, "ov-web")) line += (line.empty() ? "" : " ") + word;
        return line;
    };
    CHECK(words("list") == "list --all --name");
    CHECK(words("info") == "dominfo ov-web");
    CHECK(words("domain-xml") == "dumpxml ov-web");
    CHECK(words("screenshot", {{"artifact", "a.ppm"}}) == "screenshot ov-web a.ppm");
    CHECK(words("send-key", {{"key", "KEY_LEFTCTRL KEY_C"}}) == "send-key ov-web KEY_LEFTCTRL KEY_C");
    CHECK(words("qmp", {{"text", "{}"}}) == "qemu-monitor-command ov-web {}");
    CHECK(words("events") == "event --domain ov-web --all --loop --timeout 2");
    CHECK(words("guest/ping") == "qemu-agent-command ov-web {\"execute\":\"guest-ping\"}");
    CHECK(words("snapshot/list") == "snapshot-list ov-web --name");
    CHECK(words("snapshot/create", {{"target", "one"}}) == "snapshot-create-as ov-web one");
    CHECK(words("snapshot/delete", {{"target", "one"}}) == "snapshot-delete ov-web one");
    for (const char* own : {"guest/exec", "console", "passwd"}) CHECK(words(own).empty());
}
