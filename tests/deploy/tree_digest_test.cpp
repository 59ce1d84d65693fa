// What changes the digest of a tree, and what does not.
#include "deploy/tree_digest.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "ov/error.hpp"
#include "support/temp_tree.hpp"

namespace fs = std::filesystem;
using ov::test::TempTree;

TEST_CASE("a tree's digest is over everything that a copy of it would be") {
    struct Row {
        const char* rule;
        bool changes;
        std::function<void(const TempTree&)> change;
    };
    const Row rows[] = {
        {"nothing", false, [](const TempTree&) {}},
        {"the time of a file", false,
         [](const TempTree& tree) {
             fs::last_write_time(tree.path("in/a"), fs::file_time_type::clock::now() - std::chrono::hours(9));
         }},
        {"the same bytes again", false, [](const TempTree& tree) { tree.write("in/a", "one"); }},
        {"bytes", true, [](const TempTree& tree) { tree.write("in/a", "two"); }},
        {"a mode", true, [](const TempTree& tree) { fs::permissions(tree.path("in/a"), fs::perms::owner_all); }},
        {"the mode of a directory", true,
         [](const TempTree& tree) { fs::permissions(tree.path("in/deep"), fs::perms::owner_all); }},
        {"the mode of the tree itself", true,
         [](const TempTree& tree) { fs::permissions(tree.path("in"), fs::perms::owner_all); }},
        {"another name", true, [](const TempTree& tree) { fs::rename(tree.path("in/a"), tree.path("in/c")); }},
        {"an empty directory", true, [](const TempTree& tree) { fs::create_directory(tree.path("in/empty")); }},
        {"a dangling link", true, [](const TempTree& tree) { fs::create_symlink("nowhere", tree.path("in/new")); }},
        {"a link to a directory that goes elsewhere", true,
         [](const TempTree& tree) {
             fs::remove(tree.path("in/link"));
             fs::create_symlink("..", tree.path("in/link"));
         }},
        {"a file in the place of the link that has its target", true,
         [](const TempTree& tree) {
             fs::remove(tree.path("in/link"));
             tree.write("in/link", "deep");
         }},
        {"a pipe, which nobody reads", true, [](const TempTree& tree) { ::mkfifo(tree.path("in/pipe").c_str(), 0600); }},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        const TempTree tree{{"in/a", "one"}, {"in/deep/b", "other"}};
        fs::create_symlink("deep", tree.path("in/link"));
        for (const char* name : {"in", "in/deep", "in/a"}) fs::permissions(tree.path(name), fs::perms(0755));
        const std::string before = ov::tree_digest(tree.path("in"));
        row.change(tree);
        CHECK((ov::tree_digest(tree.path("in")) != before) == row.changes);
    }
}

TEST_CASE("a file has a digest too; what is missing is an error that names it") {
    const TempTree tree{{"a", "one"}, {"b", "one"}};
    CHECK(ov::tree_digest(tree.path("a")) == ov::tree_digest(tree.path("b")));
    fs::permissions(tree.path("b"), fs::perms::owner_all);
    CHECK(ov::tree_digest(tree.path("a")) != ov::tree_digest(tree.path("b")));
    std::string error;
    try {
        ov::tree_digest(tree.path("none"));
    } catch (const ov::Error& missing) {
        error = missing.what();
    }
    CHECK(error == tree.path("none") + ": No such file or directory");
}
