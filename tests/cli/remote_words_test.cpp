#include "cli/remote_words.hpp"

#include <doctest/doctest.h>

using Words = std::vector<std::string>;

TEST_CASE("everything behind the VM's name belongs to the guest's command") {
    struct Row {
        const char* rule;
        Words given, kept, remote;
    };
    const Row rows[] = {
        {"no command", {"vm", "ssh", "web"}, {"vm", "ssh", "web"}, {}},
        {"a command with flags of its own", {"vm", "ssh", "web", "ls", "-l", "-i"}, {"vm", "ssh", "web"}, {"ls", "-l", "-i"}},
        {"flags of the verb stand before the name",
         {"vm", "ssh", "-i", "2", "-p", "22", "web", "id"},
         {"vm", "ssh", "-i", "2", "-p", "22", "web"},
         {"id"}},
        {"attached values", {"vm", "ssh", "-i2", "--port=22", "web", "id"}, {"vm", "ssh", "-i2", "--port=22", "web"}, {"id"}},
        {"a global flag before the verb", {"-C", "dir", "vm", "ssh", "web", "id"}, {"-C", "dir", "vm", "ssh", "web"}, {"id"}},
        {"a -- behind the name is dropped", {"vm", "ssh", "web", "--", "-v"}, {"vm", "ssh", "web"}, {"-v"}},
        {"a -- before the name", {"vm", "ssh", "--", "web", "id"}, {"vm", "ssh", "--", "web"}, {"id"}},
        {"only the first -- is ours", {"vm", "ssh", "web", "--", "--", "x"}, {"vm", "ssh", "web"}, {"--", "x"}},
        {"another verb", {"vm", "start", "web", "-i", "2"}, {"vm", "start", "web", "-i", "2"}, {}},
        {"ssh without vm", {"ssh", "web", "x"}, {"ssh", "web", "x"}, {}},
        {"nothing at all", {}, {}, {}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        Words arguments = row.given;
        CHECK(ov::cli::cut_remote_words(arguments) == row.remote);
        CHECK(arguments == row.kept);
    }
}
