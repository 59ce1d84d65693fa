#include "state/ssh_config_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "ov/error.hpp"
#include "support/temp_tree.hpp"

using namespace ov::state;
using ov::test::TempTree;
namespace fs = std::filesystem;

namespace {

SshAlias alias(const std::string& name, int port) {
    SshAlias made;
    made.name = name;
    made.port = port;
    made.user = "ana";
    made.identity_file = "/home/ana/.local/share/ov/vm/" + name + "/id_ed25519";
    made.known_hosts = "/home/ana/.local/share/ov/vm/" + name + "/known_hosts";
    return made;
}

SshConfigPaths paths_in(const TempTree& tree) {
    return ssh_config_paths(tree.path());
}

unsigned mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
}

constexpr const char* begin = "# overthink:begin (managed by ov; do not edit inside this block)\n";
constexpr const char* end = "# overthink:end\n";

}  // namespace

TEST_CASE("stanzas are sorted by alias, one blank line between them, both files 0600 (vm-lifecycle.md 10)") {
    const TempTree tree;
    const SshConfigPaths paths = paths_in(tree);
    put_alias(paths, alias("ov-store", 2302));
    put_alias(paths, alias("ov-lab", 2301));
    const std::string stanza = stanza_of(alias("ov-lab", 2301));
    CHECK(stanza ==
          "Host ov-lab\n    Hostname 127.0.0.1\n    Port 2301\n    User ana\n"
          "    IdentityFile /home/ana/.local/share/ov/vm/ov-lab/id_ed25519\n    IdentitiesOnly yes\n"
          "    StrictHostKeyChecking accept-new\n    UserKnownHostsFile /home/ana/.local/share/ov/vm/ov-lab/known_hosts\n");
    CHECK(tree.read(".config/ov/ssh_config") == begin + stanza + "\n" + stanza_of(alias("ov-store", 2302)) + end);
    CHECK(tree.read(".ssh/config") == begin + ("Include " + paths.fragment + "\n") + end);
    CHECK(mode_of(paths.fragment) == 0600);
    CHECK(mode_of(paths.user) == 0600);
    CHECK(mode_of(tree.path(".ssh")) == 0700);
}

TEST_CASE("the stanza of an alias, field by field") {
    struct Row {
        const char* name;
        void (*change)(SshAlias&);
        const char *has, *lacks;
    };
    const Row rows[] = {
        {"port 0: no Port line", [](SshAlias& a) { a.port = 0; }, "Hostname", "Port"},
        {"no user: no User line", [](SshAlias& a) { a.user.clear(); }, "Hostname", "    User "},
        {"a known host key: strict", [](SshAlias& a) { a.strict = true; }, "StrictHostKeyChecking yes", "accept-new"},
        {"a key in an agent: no IdentityFile (cloud-init W11)", [](SshAlias& a) { a.identity_file.clear(); }, "Port", "Identit"},
        {"paths with blanks are quoted (W19)", [](SshAlias& a) { a.identity_file = "/a b/k"; }, "IdentityFile \"/a b/k\"\n", "#"},
        {"a hypervisor elsewhere is the jump host", [](SshAlias& a) { a.proxy_jump = "ana@kvm1"; }, "ProxyJump ana@kvm1", "#"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        SshAlias changed = alias("ov-lab", 2301);
        row.change(changed);
        const std::string text = stanza_of(changed);
        CHECK(text.find(row.has) != std::string::npos);
        CHECK(text.find(row.lacks) == std::string::npos);
    }
    CHECK_THROWS_AS(stanza_of(SshAlias{}), ov::Error);
    SshAlias quote = alias("ov-lab", 1);
    quote.identity_file = "/a\"b";
    CHECK_THROWS_AS(stanza_of(quote), ov::Error);
}

TEST_CASE("the user's own ssh configuration stays as it is (W19)") {
    struct Row {
        const char *name, *before, *with;
    };
    const std::string include = "Include PATH\n";
    const Row rows[] = {
        {"text gets our block above it and a blank line", "Host old\n    HostName old.example\n",
         "BEGIN\nInclude PATH\nEND\n\nHost old\n    HostName old.example\n"},
        {"no newline at the end stays none", "Host old", "BEGIN\nInclude PATH\nEND\n\nHost old"},
        {"CRLF stays CRLF", "Host old\r\n", "BEGIN\r\nInclude PATH\r\nEND\r\n\r\nHost old\r\n"},
        {"a block elsewhere is replaced where it stands", "Host a\nBEGIN\nInclude /old\nEND\nHost b\n",
         "Host a\nBEGIN\nInclude PATH\nEND\nHost b\n"},
        {"markers inside a line are no markers", "# see BEGIN\nHost x\n", "BEGIN\nInclude PATH\nEND\n\n# see BEGIN\nHost x\n"},
    };
    const auto expanded = [](std::string text, const std::string& path) {
        const std::pair<std::string, std::string> words[] = {
            {"BEGIN", "# overthink:begin (managed by ov; do not edit inside this block)"},
            {"END", "# overthink:end"},
            {"PATH", path}};
        for (const auto& [word, value] : words)
            for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += value.size())
                text.replace(at, word.size(), value);
        return text;
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const TempTree tree;
        const SshConfigPaths paths = paths_in(tree);
        tree.write(".ssh/config", expanded(row.before, paths.fragment));
        fs::permissions(paths.user, fs::perms(0640));
        put_alias(paths, alias("ov-lab", 2301));
        CHECK(tree.read(".ssh/config") == expanded(row.with, paths.fragment));
        put_alias(paths, alias("ov-lab", 2301));
        CHECK(tree.read(".ssh/config") == expanded(row.with, paths.fragment));
        CHECK(mode_of(paths.user) == 0640);
        if (std::string_view(row.before).find("\nEND") != std::string_view::npos) continue;
        CHECK(remove_alias(paths, "ov-lab") == 0);
        CHECK(tree.read(".ssh/config") == expanded(row.before, paths.fragment));
        CHECK_FALSE(fs::exists(paths.fragment));
    }
}

TEST_CASE("an unbalanced block is an error that names file and line, and nothing is written (W19)") {
    struct Row {
        const char *name, *text, *says;
    };
    const Row rows[] = {
        {"no end", "Host a\n# overthink:begin (x)\nInclude /x\nHost precious\n", ":4: ov's block has no end marker"},
        {"no begin", "Host a\n# overthink:end\n", ":2: an end marker"},
        {"two begins", "# overthink:begin\n# overthink:end\n# overthink:begin\n# overthink:end\n", ":3: a second begin marker"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const TempTree tree({{".ssh/config", row.text}});
        const SshConfigPaths paths = paths_in(tree);
        std::string said;
        try {
            put_alias(paths, alias("ov-lab", 1));
        } catch (const ov::Error& error) {
            said = error.what();
        }
        CHECK(said.find(paths.user + row.says) != std::string::npos);
        CHECK(tree.read(".ssh/config") == row.text);
    }
}

TEST_CASE("removing aliases: absent file, unknown alias, the last one") {
    const TempTree tree;
    const SshConfigPaths paths = paths_in(tree);
    CHECK(remove_alias(paths, "ov-lab") == 0);
    put_alias(paths, alias("ov-lab", 1));
    put_alias(paths, alias("ov-two", 2));
    const std::string both = tree.read(".config/ov/ssh_config");
    CHECK(remove_alias(paths, "ov-other") == 2);
    CHECK(tree.read(".config/ov/ssh_config") == both);
    CHECK(remove_alias(paths, "ov-lab") == 1);
    CHECK(remove_alias(paths, "ov-two") == 0);
    CHECK_FALSE(fs::exists(paths.fragment));
    CHECK_FALSE(fs::exists(paths.user));
}

TEST_CASE("a ~/.ssh/config that is a link stays one, also when nothing of ours is left") {
    const TempTree tree({{"dotfiles/config", ""}});
    const SshConfigPaths paths = paths_in(tree);
    fs::create_directory(tree.path(".ssh"));
    fs::create_symlink(tree.path("dotfiles/config"), paths.user);
    put_alias(paths, alias("ov-lab", 1));
    CHECK(fs::is_symlink(paths.user));
    CHECK(tree.read("dotfiles/config").find("Include") != std::string::npos);
    remove_alias(paths, "ov-lab");
    CHECK(fs::is_symlink(paths.user));
    CHECK(tree.read("dotfiles/config").empty());
}

TEST_CASE("twenty processes adding an alias lose none") {
    const TempTree tree;
    const SshConfigPaths paths = paths_in(tree);
    std::vector<pid_t> children;
    for (int i = 0; i < 20; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            try {
                put_alias(paths, alias("ov-" + std::to_string(i), 3000 + i));
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
    const std::string text = tree.read(".config/ov/ssh_config");
    for (int i = 0; i < 20; ++i) CHECK(text.find("Host ov-" + std::to_string(i) + "\n") != std::string::npos);
}
