#include "deploy/check_host.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <fstream>

#include "support/temp_tree.hpp"

using namespace ov;

namespace {

/// One check after the other on one HostChecks, so that what the first started is there for the second.
std::vector<CheckVerdict> run_all(std::vector<std::function<Check(const std::vector<CheckVerdict>&)>> checks,
                                  const std::string& directory, DomainMethod domain = {}) {
    Runtime runtime(7);
    HostChecks host(runtime, directory, std::move(domain));
    std::vector<CheckVerdict> verdicts;
    auto main = [&]() -> asio::awaitable<void> {
        const Deadline deadline = Deadline::unlimited().child(std::chrono::seconds(20));
        for (auto& make : checks) {
            Check check = make(verdicts);
            CheckVerdict verdict = co_await host.run(std::move(check), deadline);
            verdicts.push_back(std::move(verdict));
        }
        co_await host.close();
    };
    asio::co_spawn(runtime.io, main(), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    runtime.io.run();
    return verdicts;
}

Check check_of(const std::string& verb, const std::string& subject, std::map<std::string, std::string, std::less<>> texts = {}) {
    Check check;
    check.verb = verb;
    check.subject = subject;
    check.texts = std::move(texts);
    return check;
}

}  // namespace

TEST_CASE("kill: what a background check of this run started gets the signal (checks 8.15)") {
    test::TempTree tree;
    using Seen = std::vector<CheckVerdict>;
    const auto pid_of = [](const Seen& seen) { return seen.front().message.substr(std::string("backgrounded pid=").size()); };
    const auto verdicts = run_all(
        {[](const Seen&) {
             return check_of("command", "exec sleep 60", {{"from_host", "true"}, {"background", "true"}});
         },
         [&](const Seen& seen) { return check_of("kill", pid_of(seen)); }, [](const Seen&) { return check_of("kill", "1"); }},
        tree.path());
    REQUIRE(verdicts.size() == 3);
    const std::string pid = pid_of(verdicts);
    CHECK(verdicts[1].status == CheckStatus::pass);
    CHECK(verdicts[1].message == "sent SIGTERM to pid=" + pid);
    CHECK(verdicts[2].message == "expected a PID above 1, got '1'");
}

TEST_CASE("a method of the domain: its status and output are matched, then its artifact (checks 9.2, 9.3)") {
    test::TempTree tree;
    const std::string ppm_head = "P6\n20 10\n255\n", black(600, '\0');
    std::string spotted = black;
    spotted[30] = 'x';
    struct Row {
        const char* name;
        std::string written;
        std::map<std::string, std::string, std::less<>> texts;
        std::string message;  ///< of a pass it is the output
    };
    const Row rows[] = {
        {"no artifact asked for", "", {}, "done"},
        {"it is there", "x", {{"artifact", "shot"}}, "done"},
        {"nothing was written", "", {{"artifact", "none"}}, "artifact none: it was not written"},
        {"too small", "x", {{"artifact", "shot"}, {"artifact_min_bytes", "2"}}, "artifact shot: 1 bytes < required min 2"},
        {"large enough", ppm_head + black, {{"artifact", "shot"}, {"artifact_min_dimensions", "20x10"}}, "done"},
        {"too low",
         ppm_head + black,
         {{"artifact", "shot"}, {"artifact_min_dimensions", "20x11"}},
         "artifact shot: 20x10 < required min 20x11"},
        {"no image",
         "text",
         {{"artifact", "shot"}, {"artifact_min_dimensions", "1x1"}},
         "artifact shot: no PNG, JPEG, GIF or PPM"},
        {"one colour",
         ppm_head + black,
         {{"artifact", "shot"}, {"artifact_not_uniform", "true"}},
         "artifact shot: it is uniformly one color"},
        {"a spot", ppm_head + spotted, {{"artifact", "shot"}, {"artifact_not_uniform", "true"}}, "done"},
        {"few events",
         "{\"version\":2}\n[1]\n",
         {{"artifact", "shot"}, {"artifact_min_cast_events", "2"}},
         "artifact shot: 1 events < required min 2"},
        {"status", "", {{"exit_status", "3"}}, "exit=0, want 3 (stderr: )"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const DomainMethod domain = [&](Check check, Deadline) -> asio::awaitable<CommandResult> {
            if (!row.written.empty()) std::ofstream(tree.path("shot"), std::ios::binary) << row.written;
            co_return CommandResult{0, check.subject == "screenshot" ? "done\n" : "", ""};
        };
        const auto verdicts =
            run_all({[&](const std::vector<CheckVerdict>&) { return check_of("libvirt", "screenshot", row.texts); }}, tree.path(),
                    domain);
        CHECK(verdicts.front().message == row.message);
        CHECK((verdicts.front().status == CheckStatus::pass) == (row.message == "done"));
    }
    const auto without = run_all({[](const std::vector<CheckVerdict>&) { return check_of("libvirt", "info"); }}, ".");
    CHECK(without.front().message == "libvirt info: the machine has no domain on this host");
}
