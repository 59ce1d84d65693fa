#include "cli/remote_host.hpp"

#include <doctest/doctest.h>

using namespace ov::cli;

TEST_CASE("the command for another host is quoted and without the flags that mean this one") {
    struct Row {
        std::vector<std::string> arguments, remote;
        const char* command;
    };
    const Row rows[] = {
        {{"--host", "lab", "fleet", "status", "--all"}, {}, "ov 'fleet' 'status' '--all'"},
        {{"--host=lab", "-C", "/p", "vm", "list"}, {}, "ov 'vm' 'list'"},
        {{"vm", "list", "--dir=/p", "--host", "lab"}, {}, "ov 'vm' 'list'"},
        {{"-C/p", "deploy", "add", "it's"}, {}, R"(ov 'deploy' 'add' 'it'\''s')"},
        {{"--host", "lab", "x", "--", "--host", "y"}, {}, "ov 'x' '--' '--host' 'y'"},
        {{"--host", "lab", "vm", "ssh", "web"}, {"ls", "-C", "$HOME"}, "ov 'vm' 'ssh' 'web' 'ls' '-C' '$HOME'"},
    };
    for (const Row& row : rows) CHECK(remote_command(row.arguments, row.remote) == row.command);
}

TEST_CASE("a destination becomes ssh's words") {
    struct Row {
        const char* destination;
        std::vector<std::string> words;
    };
    const Row rows[] = {
        {"lab", {"ssh", "--", "lab", "c"}},
        {"ana@lab.example.net:2222", {"ssh", "-p", "2222", "--", "ana@lab.example.net", "c"}},
        {"ana@[fd00::1]:2222", {"ssh", "-p", "2222", "--", "ana@fd00::1", "c"}},
        {"[fd00::1]", {"ssh", "--", "fd00::1", "c"}},
        {"fd00::1", {"ssh", "--", "fd00::1", "c"}},
        {"lab:", {"ssh", "--", "lab:", "c"}},
    };
    for (const Row& row : rows) CHECK(ssh_words(row.destination, false, "c") == row.words);
    CHECK(ssh_words("lab", true, "c")[1] == "-tt");
}
