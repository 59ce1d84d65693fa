#include "lifecycle/vm_keys.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>

#include "exec/ssh_key.hpp"
#include "ov/error.hpp"
#include "support/temp_tree.hpp"

using namespace ov;
using ov::test::TempTree;
namespace fs = std::filesystem;

namespace {

std::string key_error(const state::VmFiles& files, const std::string& source, const std::string& home) {
    try {
        ensure_login_key(files, source, home);
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

unsigned mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
}

constexpr const char* line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDocsOnlyKey lab@example";

}  // namespace

TEST_CASE("a generated pair is made once and is OpenSSH's own format (cloud-init.md 9.1)") {
    const TempTree tree;
    const state::VmFiles files{tree.path("vm/ov-web")};
    const LoginKey key = ensure_login_key(files, "generate", tree.path());
    const std::string secret = tree.read("vm/ov-web/id_ed25519"), open = tree.read("vm/ov-web/id_ed25519.pub");
    CHECK(open == key.public_line + "\n");
    CHECK(std::regex_match(key.public_line, std::regex("ssh-ed25519 [A-Za-z0-9+/]{68}")));
    CHECK(mode_of(files.identity()) == 0600);
    CHECK(mode_of(files.public_key()) == 0644);
    CHECK(mode_of(files.directory) == 0700);
    CHECK(key.identity_file == files.identity());
    const auto parsed = SshKey::parse(secret);
    REQUIRE(parsed.has_value());
    CHECK(parsed->sign("x").size() == 64);
    CHECK(public_line_of(secret) == key.public_line);
    for (int again = 0; again < 3; ++again)
        CHECK(ensure_login_key(files, "generate", tree.path()).public_line == key.public_line);
    CHECK(tree.read("vm/ov-web/id_ed25519") == secret);
    CHECK(ensure_host_key(files).public_line != key.public_line);
    CHECK(ensure_host_key(files).public_line == ensure_host_key(files).public_line);
}

TEST_CASE("ssh-keygen reads what we write") {
    if (std::system("command -v ssh-keygen >/dev/null 2>&1") != 0) {
        MESSAGE("skipped: ssh-keygen is missing");
        return;
    }
    const TempTree tree;
    for (int i = 0; i < 5; ++i) {
        const state::VmFiles files{tree.path("vm/" + std::to_string(i))};
        const LoginKey key = ensure_login_key(files, "generate", tree.path());
        const std::string command = "ssh-keygen -y -f " + files.identity() + " > " + tree.path("derived");
        REQUIRE(std::system(command.c_str()) == 0);
        CHECK(tree.read("derived").substr(0, key.public_line.size()) == key.public_line);
    }
}

TEST_CASE("half a pair is an error that names both files, and nothing is regenerated (W10)") {
    struct Row {
        const char* name;
        void (*damage)(const TempTree&);
        const char* says;
    };
    const Row rows[] = {
        {"no private key", [](const TempTree& t) { fs::remove(t.path("vm/id_ed25519")); }, "half a pair"},
        {"no public key", [](const TempTree& t) { fs::remove(t.path("vm/id_ed25519.pub")); }, "ssh-keygen -y"},
        {"another public key", [](const TempTree& t) { t.write("vm/id_ed25519.pub", make_ed25519_keypair().public_line + "\n"); },
         "do not belong together"},
        {"an empty private key", [](const TempTree& t) { t.write("vm/id_ed25519", ""); }, "no unencrypted ed25519 key"},
        {"junk",
         [](const TempTree& t) {
             t.write("vm/id_ed25519",
                     "-----BEGIN OPENSSH PRIVATE KE"
                     "Y-----\nAAAA\n");
         },
         "no unencrypted ed25519 key"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const TempTree tree;
        const state::VmFiles files{tree.path("vm")};
        ensure_login_key(files, "generate", tree.path());
        row.damage(tree);
        const std::string said = key_error(files, "generate", tree.path());
        CHECK(said.find(row.says) != std::string::npos);
        CHECK(said.find(files.identity()) != std::string::npos);
    }
}

TEST_CASE("where the key comes from (cloud-init.md 9.1, decisions 42)") {
    const std::string rsa = "ssh-rsa AAAA ana@x";
    SUBCASE("none: no key for anybody") {
        const TempTree tree;
        CHECK(ensure_login_key({tree.path("vm")}, "none", tree.path()).public_line.empty());
    }
    SUBCASE("auto: ed25519 first, its private half goes into the alias (W11)") {
        const TempTree tree(
            {{".ssh/id_ed25519.pub", std::string(line) + "\n"}, {".ssh/id_ed25519", "x"}, {".ssh/id_rsa.pub", rsa}});
        const LoginKey key = ensure_login_key({tree.path("vm")}, "auto", tree.path());
        CHECK(key.public_line == line);
        CHECK(key.identity_file == tree.path(".ssh/id_ed25519"));
    }
    SUBCASE("auto without any: an error that names the place and both ways out") {
        const TempTree tree;
        const std::string said = key_error({tree.path("vm")}, "auto", tree.path());
        CHECK(said.find(tree.path() + "/.ssh") != std::string::npos);
        CHECK(said.find("generate") != std::string::npos);
    }
    SUBCASE("auto with RSA only: depends on the SSH library") {
        const TempTree tree({{".ssh/id_rsa.pub", rsa}});
        if (rsa_keys_work())
            CHECK(ensure_login_key({tree.path("vm")}, "auto", tree.path()).public_line == rsa);
        else
            CHECK(key_error({tree.path("vm")}, "auto", tree.path()).find("generate") != std::string::npos);
    }
    SUBCASE("a file: its line; without a private half an agent has to have it") {
        const TempTree tree({{"keys/ops.pub", "  " + std::string(line) + " \n"}});
        const LoginKey key = ensure_login_key({tree.path("vm")}, tree.path("keys/ops.pub"), tree.path());
        CHECK(key.public_line == line);
        CHECK(key.identity_file.empty());
        CHECK(key.notes.size() == 1);
    }
    SUBCASE("a file that is none, a private key, two lines: named") {
        const TempTree tree({{"two", "a\nb\n"},
                             {"private",
                              "-----BEGIN OPENSSH PRIVATE KE"
                              "Y-----\n"}});
        for (const char* name : {"missing", "two", "private"})
            CHECK(key_error({tree.path("vm")}, tree.path(name), tree.path()).find(tree.path(name)) != std::string::npos);
    }
}

TEST_CASE("the SMBIOS strings of a key (cloud-init.md 9.3, libvirt-renderer.md 6.5)") {
    const auto root = smbios_credentials("root", line);
    REQUIRE(root.size() == 2);
    CHECK(root[0] == "io.systemd.credential:ssh.authorized_keys.root=" + std::string(line));
    CHECK(root[1] ==
          "io.systemd.credential.binary:tmpfiles.extra=ZCAvcm9vdC8uc3NoIDA3NTAgLSAtIC0KZit+"
          "IC9yb290Ly5zc2gvYXV0aG9yaXplZF9rZXlzIDcwMCAt"
          "IC0gLSBjM05vTFdWa01qVTFNVGtnUVVGQlFVTXpUbnBoUXpGc1drUkpNVTVVUlRWQlFVRkJTVVJ2WTNOUGJteDVTMlY1SUd4aFlrQmxlR0Z0Y0d4bAo=");
    CHECK(smbios_credentials("", line) == root);
    const auto ana = smbios_credentials("ana", line);
    REQUIRE(ana.size() == 1);
    CHECK(ana[0].size() == std::string("io.systemd.credential.binary:tmpfiles.extra=").size() + 700);
    CHECK(smbios_credentials("ana", "").empty());
}

TEST_CASE("instance ids are random version 4 UUIDs") {
    const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
        const std::string id = new_instance_id();
        CHECK(std::regex_match(id, form));
        CHECK(seen.insert(id).second);
    }
}
