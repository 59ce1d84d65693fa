#include "state/state_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "model/yaml_writer.hpp"
#include "ov/error.hpp"
#include "state/deploy_config.hpp"
#include "support/temp_tree.hpp"

using namespace std::chrono_literals;
using ov::test::TempTree;

TEST_CASE("a lock held by another process is waited for, then reported with the holder's pid") {
    const TempTree tree;
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    const pid_t child = fork();
    if (child == 0) {
        const auto held = ov::state::FileLock::acquire(tree.path("a.lock"));
        [[maybe_unused]] const auto written = write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    char byte = 0;
    REQUIRE(read(ready[0], &byte, 1) == 1);
    try {
        ov::state::FileLock::acquire(tree.path("a.lock"), 50ms);
        FAIL("the lock was given twice");
    } catch (const ov::Error& e) {
        CHECK(e.code() == ov::Errc::busy);
        CHECK(std::string(e.what()).find("a.lock: locked by process " + std::to_string(child)) != std::string::npos);
    }
    int asked = 0;
    CHECK_THROWS_AS(ov::state::FileLock::acquire(tree.path("a.lock"), 30s, [&] { return ++asked == 3; }), ov::Error);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    CHECK_NOTHROW(ov::state::FileLock::acquire(tree.path("a.lock"), 1s));
    close(ready[0]);
    close(ready[1]);
}

TEST_CASE("twenty processes editing one file lose no edit") {
    const TempTree tree;
    const std::string path = tree.path("deploy.yml");
    std::vector<pid_t> children;
    for (int i = 0; i < 20; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            try {
                ov::state::update_deploy_file(path, [i](ov::state::DeployDocument& document) {
                    document.set_field("n" + std::to_string(i), "target", ov::yaml_text("local"));
                });
                _exit(0);
            } catch (...) {
                _exit(1);
            }
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 1;
        waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    CHECK(ov::state::DeployDocument::parse(tree.read("deploy.yml"), path).keys().size() == 20);
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(tree.path())) ++files;
    CHECK(files == 2);  // the file and its lock
}

TEST_CASE("a write that cannot end leaves the old entry and no temporary file") {
    const TempTree tree({{"d/file/below", "x"}});
    CHECK_THROWS_AS(ov::state::write_file(tree.path("d/file"), "new"), ov::Error);  // a directory is in the way of the rename
    CHECK(tree.read("d/file/below") == "x");
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(tree.path("d"))) ++files;
    CHECK(files == 1);
}
