// Containers go with the wish for them, played by a podman of our own.
#include "async/podman_container.hpp"

#include <doctest/doctest.h>

#include "async/event.hpp"
#include "async/process.hpp"
#include "support/engine.hpp"
#include "support/temp_tree.hpp"

using namespace std::chrono_literals;
using ov::Deadline;
using ov::test::TempTree;

namespace {

// A container runs until it is removed, and its client until then; one called "deaf" goes on.
constexpr const char* fake_podman = R"sh(#!/bin/bash
here=$(dirname "$0")
echo "$*" >>"$here/asked"
[[ $1 != rm ]] || { touch "$here/removed"; exit; }
trap 'echo signalled >>"$here/end"' TERM
[[ $* != *short* ]] || exit 3
while [[ ! -e $here/removed || $* == *deaf* ]]; do sleep 0.05; done
echo removed >>"$here/end"
exit 137
)sh";

struct Outcome {
    ov::Errc code{};
    int status = 0;
    std::string asked, end;
};

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

Outcome run(const std::string& image, bool sudo, bool fails = false) {
    const TempTree tree{{"podman", fake_podman}, {"sudo", "#!/bin/bash\n[[ $1 == -n ]] && shift && exec \"$@\"\n"}};
    for (const char* name : {"podman", "sudo"}) std::filesystem::permissions(tree.path(name), std::filesystem::perms::owner_all);
    Outcome outcome;
    ov::test::with_engine([&](ov::Runtime&) -> asio::awaitable<void> {
        const ov::ContainerClient client = [&](std::vector<std::string> argv, Deadline deadline) -> asio::awaitable<void> {
            ov::ProcessOptions options;
            options.argv = std::move(argv);
            const ov::ProcessOutput output = co_await ov::run_process(std::move(options), deadline);
            outcome.status = output.status;
            if (fails) throw ov::Error(ov::Errc::step_failed, "the client gave up");
        };
        std::vector<std::string> argv{tree.path("podman"), "run", "--rm", image};
        if (sudo) argv.insert(argv.begin(), {tree.path("sudo"), "-n"});
        const Deadline deadline = Deadline::unlimited().child(500ms);
        outcome.code = co_await ov::test::code_of(ov::with_container(argv, client, deadline));
    });
    outcome.asked = tree.read("asked");
    outcome.end = tree.read("end");
    return outcome;
}

}  // namespace

TEST_CASE("a container whose run is over is removed, before anybody is signalled; one that ends by itself is not looked for") {
    struct Row {
        const char *rule, *image;
        bool sudo, fails;
        ov::Errc code;
        std::size_t removals;
        const char* end;
    };
    const Row rows[] = {
        {"ends by itself", "short", false, false, ov::Errc{}, 0, ""},
        {"out of time", "long", false, false, ov::Errc::timed_out, 1, "removed\n"},
        {"out of time, behind sudo, which only its container's end ends", "long", true, false, ov::Errc::timed_out, 1,
         "removed\n"},
        {"a client that the removal does not end is signalled, and what it made meanwhile removed", "deaf", false, false,
         ov::Errc::timed_out, 2, "signalled\n"},
        {"a client that fails", "short", false, true, ov::Errc::step_failed, 1, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        const Outcome outcome = run(row.image, row.sudo, row.fails);
        CHECK(outcome.code == row.code);
        CHECK(outcome.asked.find("run --name ov-build-") == 0);
        const std::string name = outcome.asked.substr(11, outcome.asked.find(' ', 11) - 11);
        CHECK(count(outcome.asked, "rm --force --time 0 " + name + "\n") == row.removals);
        CHECK(outcome.end == row.end);
    }
}
