#include "backend/qmp.hpp"

#include <doctest/doctest.h>

#include <asio/local/connect_pair.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "async/task_group.hpp"
#include "support/run_loop.hpp"
#include "support/temp_tree.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using ov::Deadline;
using Socket = asio::local::stream_protocol::socket;

namespace {

const std::string greeting =
    R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}})"
    "\r\n";

/// Answers each request line with the next text; "ID" in it is the request's id. "CLOSE" closes.
asio::awaitable<void> play(Socket& socket, std::string hello, std::vector<std::string> answers, std::vector<std::string>& seen) {
    asio::error_code error;
    co_await asio::async_write(socket, asio::buffer(hello), asio::redirect_error(asio::use_awaitable, error));
    std::string pending;
    for (std::string answer : answers) {
        const std::size_t size = co_await asio::async_read_until(socket, asio::dynamic_buffer(pending), '\n',
                                                                 asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        const json request = json::parse(pending.substr(0, size));
        pending.erase(0, size);
        seen.push_back(request.at("execute").get<std::string>());
        if (answer == "CLOSE") {
            socket.close();
            co_return;
        }
        if (const auto at = answer.find("ID"); at != std::string::npos) answer.replace(at, 2, request.at("id").dump());
        co_await asio::async_write(socket, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
    }
    // Stay connected until the client goes.
    co_await asio::async_read_until(socket, asio::dynamic_buffer(pending), '\n',
                                    asio::redirect_error(asio::use_awaitable, error));
}

struct Talk {
    std::vector<std::string> seen;
    std::string outcome;
};

/// Negotiates, executes `query-status`, optionally waits for an event; `outcome` says how it ended.
Talk talk(std::string hello, std::vector<std::string> answers, std::string event = {}, std::chrono::milliseconds limit = 2s) {
    Talk result;
    ov::test::run([&]() -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        Socket ours(executor), theirs(executor);
        asio::local::connect_pair(ours, theirs);
        auto body = [&](ov::TaskGroup& group) -> asio::awaitable<void> {
            group.spawn(play(theirs, hello, answers, result.seen));
            const Deadline deadline = Deadline::unlimited().child(limit);
            try {
                const auto client = co_await ov::QmpClient::negotiate(std::move(ours), "peer", deadline);
                const json status = co_await client->execute("query-status", deadline);
                result.outcome = client->version() + " " + status.dump();
                if (!event.empty()) {
                    std::vector<std::string> names{event};
                    const ov::QmpEvent got = co_await client->wait_event(std::move(names), deadline);
                    result.outcome += " " + got.name + got.data;
                }
            } catch (const ov::Error& error) {
                result.outcome = std::string(to_string(error.code())) + ": " + error.what();
            }
        };
        co_await ov::with_task_group(Deadline::unlimited(), body);
    });
    return result;
}

const std::string ready = R"({"return": {}, "id": ID})"
                          "\r\n";
const std::string status_answer = R"({"return": {"status": "running"}, "id": ID})"
                                  "\r\n";

}  // namespace

TEST_CASE("a talk over QMP: greeting, capabilities, answers by id, events kept") {
    struct Row {
        const char* rule;
        std::string hello;
        std::vector<std::string> answers;
        std::string event, outcome;
    };
    const Row rows[] = {
        {"greeting, capabilities, answer", greeting, {ready, status_answer}, "", R"(7.2.22 {"status":"running"})"},
        {"an event before the answer is kept",
         greeting,
         {ready, R"({"event": "POWERDOWN", "timestamp": {}})"
                 "\r\n" +
                     status_answer},
         "POWERDOWN",
         R"(7.2.22 {"status":"running"} POWERDOWN)"},
        {"events that nobody waits for are dropped",
         greeting,
         {ready, status_answer +
                     R"({"event": "RTC_CHANGE", "data": {"offset": 1}})"
                     "\n" +
                     R"({"event": "SHUTDOWN", "data": {"guest": true}})"
                     "\n"},
         "SHUTDOWN",
         R"(7.2.22 {"status":"running"} SHUTDOWN{"guest":true})"},
        {"an answer to another id is passed over",
         greeting,
         {ready, R"({"return": {"status": "stale"}, "id": 99})"
                 "\r\n" +
                     status_answer},
         "",
         R"(7.2.22 {"status":"running"})"},
        {"a refusal carries class and description",
         greeting,
         {ready, R"({"id": ID, "error": {"class": "GenericError", "desc": "no such thing"}})"
                 "\r\n"},
         "",
         "step_failed: QEMU refused query-status: GenericError: no such thing"},
        {"a close in the middle is a lost transport",
         greeting,
         {ready, "CLOSE"},
         "",
         "transport_lost: peer: QEMU closed it: End of file"},
        {"another protocol is named", "{\"hello\": 1}\r\n", {}, "", "unreachable: peer: this is no QMP: {\"hello\":1}"},
        {"no JSON at all", "SSH-2.0-OpenSSH\r\n", {}, "", "transport_lost: peer: not a JSON object: SSH-2.0-OpenSSH\r"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        CHECK(talk(row.hello, row.answers, row.event).outcome == row.outcome);
    }
    CHECK(talk(greeting, {ready, status_answer}).seen == std::vector<std::string>{"qmp_capabilities", "query-status"});
}

TEST_CASE("a silent peer ends with the deadline, and a later call on the client still works") {
    CHECK(talk(greeting, {ready}, "", 100ms).outcome.starts_with("timed_out"));
    CHECK(talk("", {}, "", 100ms).outcome.starts_with("timed_out"));
    CHECK(talk(greeting, {ready, status_answer}, "SHUTDOWN", 100ms).outcome.starts_with("timed_out"));
}

TEST_CASE("a socket that is not there, and one that nobody listens on, are told apart") {
    const ov::test::TempTree tree;
    std::string first, second;
    ov::test::run([&]() -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        try {
            co_await ov::QmpClient::connect(tree.path("none.sock"), Deadline::unlimited());
        } catch (const ov::Error& error) {
            first = to_string(error.code());
        }
        { asio::local::stream_protocol::acceptor gone(executor, asio::local::stream_protocol::endpoint(tree.path("dead.sock"))); }
        try {
            co_await ov::QmpClient::connect(tree.path("dead.sock"), Deadline::unlimited());
        } catch (const ov::Error& error) {
            second = to_string(error.code());
        }
    });
    CHECK(first == "not_found");
    CHECK(second == "unreachable");
}
