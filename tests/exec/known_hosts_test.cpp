#include "exec/known_hosts.hpp"

#include <doctest/doctest.h>

#include "exec/ssh_destination.hpp"
#include "exec/ssh_dial.hpp"
#include "exec/ssh_session.hpp"

TEST_CASE("the first field of a known_hosts line matches as sshd(8) says") {
    struct Row {
        const char *patterns, *host;
        int port;
        bool matches;
    };
    const Row rows[] = {
        {"web", "web", 22, true},
        {"web", "web", 2222, false},
        {"[web]:2222", "web", 2222, true},
        {"[127.0.0.1]:2222,web", "127.0.0.1", 2222, true},
        {"*.example.org", "a.example.org", 22, true},
        {"*.example.org,!b.example.org", "b.example.org", 22, false},
        {"10.0.0.?", "10.0.0.7", 22, true},
        {"[*]:2222", "anything", 2222, true},
        // printf 'hashed.example.org' | openssl sha1 -hmac with salt bytes 0..19
        {"|1|AAECAwQFBgcICQoLDA0ODxAREhM=|bogus", "hashed.example.org", 22, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.patterns);
        CHECK(ov::known_host_matches(row.patterns, row.host, row.port) == row.matches);
    }
}

TEST_CASE("a key is compared with lines of its own type first, revoked keys are refused") {
    const std::string blob("\0\0\0\x0bssh-ed25519key", 18);
    ov::HostKey key;
    key.type = "ssh-ed25519";
    key.blob = blob;
    const std::string line = ov::known_host_line("web", 2222, key);
    CHECK(line.starts_with("[web]:2222 ssh-ed25519 "));
    const std::string encoded = line.substr(line.rfind(' ') + 1, line.size() - line.rfind(' ') - 2);
    struct Row {
        const char* name;
        std::string text;
        ov::HostKeyVerdict verdict;
    };
    const Row rows[] = {
        {"match", line, ov::HostKeyVerdict::match},
        {"unknown host", "other ssh-ed25519 " + encoded + "\n", ov::HostKeyVerdict::unknown},
        {"other key of that type", "[web]:2222 ssh-ed25519 AAAA\n", ov::HostKeyVerdict::mismatch},
        {"only another type on record", "[web]:2222 ssh-rsa AAAA\n", ov::HostKeyVerdict::mismatch},
        {"two types, ours matches", "[web]:2222 ssh-rsa AAAA\n" + line, ov::HostKeyVerdict::match},
        {"revoked", "@revoked [web]:2222 ssh-ed25519 " + encoded + "\n", ov::HostKeyVerdict::revoked},
        {"comments, CRLF and blanks", "# a\r\n\r\n" + line, ov::HostKeyVerdict::match},
        {"an authority is not a key", "@cert-authority [web]:2222 ssh-ed25519 " + encoded + "\n", ov::HostKeyVerdict::unknown},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(ov::check_host_key(ov::parse_known_hosts(row.text), "web", 2222, key).verdict == row.verdict);
    }
}

TEST_CASE("ssh -G fills what the entity leaves open and nothing else") {
    const char* config =
        "user root\nhostname 10.1.2.3\nport 2200\nidentityfile ~/.ssh/a\nidentityfile /b\nuserknownhostsfile ~/.ssh/known_hosts "
        "/x\nstricthostkeychecking true\nproxyjump me@[fe80::1]:2201,second\nproxycommand none\nidentityagent none\n";
    ov::SshDestination given;
    given.name = given.host = "alias";
    given.port = 0;
    const auto all = ov::from_ssh_config(given, config, "/home/me");
    CHECK(all.host == "10.1.2.3");
    CHECK(all.port == 2200);
    CHECK(all.user == "root");
    CHECK(all.identities == std::vector<std::string>{"/home/me/.ssh/a", "/b"});
    CHECK(all.known_hosts.front() == "/home/me/.ssh/known_hosts");
    CHECK(all.policy == ov::HostKeyPolicy::strict);
    REQUIRE(all.jumps.size() == 2);
    CHECK(all.jumps[0].host == "fe80::1");
    CHECK(all.jumps[0].port == 2201);
    CHECK(all.jumps[0].user == "me");
    CHECK(all.jumps[1].host == "second");
    given.user = "ov";
    given.port = 7;
    given.identities = {"/k"};
    const auto some = ov::from_ssh_config(given, config, "/home/me");
    CHECK(some.user == "ov");
    CHECK(some.port == 7);
    CHECK(some.identities == std::vector<std::string>{"/k"});
    given.proxy_command = "nc %h %p %% %n %r %x";
    CHECK(ov::expand_proxy_command(given) == "nc alias 7 % alias ov %x");
}
