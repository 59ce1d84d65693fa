// Builders in a podman of our own: what runs, what is kept, and what a build that is given up leaves behind.
#include "deploy/builders.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "deploy/tree_archive.hpp"
#include "support/engine.hpp"
#include "support/temp_tree.hpp"

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ov::test::TempTree;

namespace {

// The name "localhost/some:1" is moved to another image as soon as somebody has asked what it is.
constexpr const char* fake_podman = R"sh(#!/bin/bash
here=$(dirname "$0")
echo "$*" >>"$here/asked"
case "$1 $2" in
'image exists') exit ;;
'image inspect') echo 0123456789ab amd64; exit ;;
'rm '*) touch "$here/removed"; exit ;;
esac
cat >/dev/null
while (($#)); do [[ $1 != -v || $2 != *:rw ]] || stage=${2%%:*}; shift; done
while [[ -e $here/slow && ! -e $here/removed ]]; do sleep 0.05; done
[[ ! -e $here/nothing ]] || exit 0
mkdir -p "$stage/.npm-global/bin"
echo made >"$stage/.npm-global/bin/tool"
echo bytes >"$stage/.npm-global/grüße-"$'\xff'
[[ ! -e $here/lost ]] || rm -rf "$stage"
)sh";

struct Host {
    TempTree tree{{"podman", fake_podman}, {"layer/package.json", "{}"}};
    ov::BuilderStep step;
    std::string asked, archive;

    Host() {
        fs::permissions(tree.path("podman"), fs::perms::owner_all);
        step.builder = "npm";
        step.layer = "web";
        step.layer_dir = tree.path("layer");
        step.image = "localhost/some:1";
    }
    ov::Errc build(std::chrono::milliseconds limit = 20s) {
        ov::Errc code{};
        ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
            ov::Builders builders(runtime, tree.path("cache"), tree.path("podman"));
            const ov::EmitEvent events = [](const ov::EventBody&) {};
            const ov::Deadline deadline = ov::Deadline::unlimited().child(limit);
            const auto work = [&]() -> asio::awaitable<void> {
                archive = co_await builders.build(step, "/home/ana", "x86_64", deadline, events);
            };
            code = co_await ov::test::code_of(work());
        });
        asked = tree.read("asked");
        return code;
    }
    /// What the machine is sent.
    std::string tar() const {
        std::string bytes;
        ov::test::with_engine([&](ov::Runtime& runtime) -> asio::awaitable<void> {
            const auto source = ov::tar_of_archive(runtime, archive);
            const ov::Deadline deadline = ov::Deadline::unlimited().child(60s);
            for (bool more = true; more;) {
                const std::string chunk = co_await source->next(deadline);
                bytes += chunk;
                more = !chunk.empty();
            }
        });
        return bytes;
    }
    /// Files of the cache.
    std::size_t kept() const {
        std::size_t files = 0;
        for (const auto& entry : fs::recursive_directory_iterator(tree.path("cache"))) files += entry.is_regular_file() ? 1 : 0;
        return files;
    }
};

}  // namespace

TEST_CASE("a builder runs the image that its key was made from, once for the same files") {
    Host host;
    CHECK(host.build() == ov::Errc{});
    CHECK(host.asked.find(" 0123456789ab bash -s") != std::string::npos);
    const std::string first = host.archive;
    CHECK(host.tar().find(".npm-global/grüße-\xff") != std::string::npos);  // names are bytes
    CHECK(host.build() == ov::Errc{});
    CHECK(host.archive == first);
    CHECK(host.kept() == 1);
    fs::permissions(host.tree.path("layer/package.json"), fs::perms::owner_all);
    CHECK(host.build() == ov::Errc{});
    CHECK(host.archive != first);
}

TEST_CASE("a build that is given up leaves neither its container nor half an archive") {
    Host host;
    SUBCASE("while the container runs") {
        host.tree.write("slow", "");
        CHECK(host.build(700ms) == ov::Errc::timed_out);
        const std::size_t name = host.asked.find("--name ov-build-");
        REQUIRE(name != std::string::npos);
        const std::size_t begin = name + 7, end = host.asked.find(' ', begin);
        CHECK(host.asked.find("rm --force --time 0 " + host.asked.substr(begin, end - begin) + "\n") != std::string::npos);
    }
    SUBCASE("when it made nothing") {
        host.tree.write("nothing", "");
        CHECK(host.build() == ov::Errc::step_failed);
    }
    SUBCASE("when what it made is gone") {
        host.tree.write("lost", "");
        CHECK(host.build() == ov::Errc::io);
    }
    CHECK(host.kept() == 0);
}
