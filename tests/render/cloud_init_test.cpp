// Seeds: the worked examples of `cloud-init.md` 14 with its improvements applied, and one row a rule.
#include "support/render_case.hpp"

#include "ov/yaml.hpp"
#include "render/cloud_init/parts.hpp"
#include "spec/yaml_document.hpp"

namespace {

using namespace ov::test;

constexpr const char* key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDocsOnlyKey lab@example";

ov::YamlPtr tree(const std::string& text) {
    std::vector<ov::Diagnostic> findings;
    auto documents = ov::spec::parse_yaml(text, "seed", findings);
    REQUIRE_MESSAGE(findings.empty(), joined(findings));
    REQUIRE(documents.size() == 1);
    return documents.front();
}

ov::CloudInitFiles seed(const std::string& body, const std::string& runtime = "{}") {
    ov::VmRuntime parameters = runtime_of(runtime);
    parameters.public_key = key;
    return ov::render_cloud_init(spec_of(body), parameters);
}

std::string with_source(const std::string& more) {
    return "source: {kind: cloud_image, url: \"https://mirror.example/u.qcow2\"}\n" + more;
}

/// The value of one key of the user-data, as YAML that compares.
void check_key(const std::string& user_data, const char* name, const std::string& expected) {
    CAPTURE(user_data);
    CHECK(user_data.starts_with("#cloud-config\n"));
    const ov::YamlPtr all = tree(user_data);
    const ov::YamlNode* value = all->find(name);
    if (expected.empty()) {
        CHECK(value == nullptr);
        return;
    }
    REQUIRE(value != nullptr);
    CHECK(ov::equal_values(*value, *tree(expected)));
}

}  // namespace

TEST_CASE("cloud-init 14.1: the image's own account is adopted") {
    const ov::CloudInitFiles files = seed(R"(
source: {kind: cloud_image, url: "https://mirror.example/fed.qcow2", base_user: fedora}
ssh: {port: 2301, key_source: generate}
cloud_init:
  hostname: lab-01
  timezone: Europe/Vienna
  package: [htop, curl]
  runcmd: ["systemctl enable --now qemu-guest-agent"]
  write_files:
    - {path: /etc/motd, content: "welcome\n", perms: "0644"}
)",
                                          "instance_id: 3f0c2c52-8a39-4f0e-9b1d-5b6f0a7d2c11");
    CAPTURE(files.user_data);
    CHECK(files.user_data.starts_with("#cloud-config\n"));
    CHECK(ov::equal_values(*tree(files.user_data), *tree(R"(#cloud-config
hostname: lab-01
packages:
    - openssh
    - curl
    - tar
    - htop
runcmd:
    - systemctl enable --now sshd
    - systemctl enable --now qemu-guest-agent
timezone: Europe/Vienna
users:
    - default
    - name: fedora
      ssh_authorized_keys:
        - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDocsOnlyKey lab@example
write_files:
    - content: |
        welcome
      path: /etc/motd
      permissions: "0644"
)")));
    CHECK(ov::equal_values(*tree(files.meta_data),
                           *tree("instance-id: \"3f0c2c52-8a39-4f0e-9b1d-5b6f0a7d2c11\"\nlocal-hostname: lab-01\n")));
    CHECK(files.network_config.empty());
}

TEST_CASE("cloud-init 14.2: an account is made, the network is static, ov is fetched") {
    const ov::CloudInitFiles files = seed(R"(
source: {kind: cloud_image, url: "https://mirror.example/deb.qcow2", distro: debian}
ssh: {user: ops, key_source: /home/ana/keys/ops.pub}
cloud_init:
  locale: de_AT.UTF-8
  users:
    - {name: audit, groups: [adm, systemd-journal], shell: /bin/sh, lock_passwd: true}
  bootcmd: ["modprobe nbd || true"]
  mirrors: {apt: ["http://apt.example/debian", "http://second.example/debian"]}
  network:
    ethernets:
      enp1s0: {dhcp4: false, addresses: ["192.0.2.10/24"]}
  ov_install:
    strategy: url
    url: https://dl.example/ov
    checksum: sha256:1f2e3d4c5b6a79880112233445566778899aabbccddeeff00112233445566778
)");
    check_key(files.user_data, "apt",
              "{preserve_sources_list: false, primary: [{arches: [default], uri: http://apt.example/debian}]}");
    check_key(files.user_data, "bootcmd", "[modprobe nbd || true]");
    check_key(files.user_data, "packages", "[openssh-server, curl, tar]");
    check_key(files.user_data, "users",
              std::string(R"(
- default
- {name: audit, groups: [adm, systemd-journal], shell: /bin/sh, lock_passwd: true}
- {name: ops, sudo: "ALL=(ALL) NOPASSWD:ALL", groups: [sudo], shell: /bin/bash, ssh_authorized_keys: [)") +
                  key + "]}");
    CHECK(files.network_config ==
          "ethernets:\n    enp1s0:\n        addresses:\n            - 192.0.2.10/24\n        dhcp4: false\nversion: 2\n");
    const ov::YamlPtr all = tree(files.user_data);
    REQUIRE(all->find("runcmd")->items.size() == 2);
    const std::string line = all->find("runcmd")->items[1]->text;
    CAPTURE(line);
    CHECK(line.find("curl --proto '=https' --fail --location --retry 5") != std::string::npos);
    CHECK(line.find("sha256sum --check") < line.find("install -m 0755"));
    CHECK(line.find("mv -f") != std::string::npos);
}

TEST_CASE("cloud-init 14.3: the declared login user is one entry, without a key when the channel is off") {
    const ov::CloudInitFiles files = seed(R"(
source: {kind: cloud_image, url: "https://mirror.example/u.qcow2", base_user: ubuntu, distro: ubuntu}
ssh: {user: mia, key_injection: {cloud_init: disabled}}
cloud_init: {users: [{name: mia, sudo: true}]}
)");
    check_key(files.user_data, "users", R"([default, {name: mia, sudo: "ALL=(ALL) NOPASSWD:ALL"}])");
}

TEST_CASE("cloud-init 14.4: nothing configured gives the minimum") {
    const ov::CloudInitFiles files = seed(with_source(""), "instance_id: i-1");
    CHECK(files.user_data ==
          "#cloud-config\npackages:\n    - openssh\n    - curl\n    - tar\nruncmd:\n    - systemctl enable --now sshd\nusers:\n"
          "    - default\n");
    CHECK(files.meta_data == "instance-id: i-1\n");
    CHECK(seed(with_source("")).meta_data == "{}\n");
}

TEST_CASE("one row a rule of the seed") {
    struct Row {
        const char *rule, *body, *key, *expected;
    };
    const Row rows[] = {
        {"W8: the server package of Fedora", "source: {kind: cloud_image, url: u, distro: \"fedora:43\"}", "packages",
         "[openssh-server, curl, tar]"},
        {"W8: the unit of Ubuntu", "source: {kind: cloud_image, url: u, distro: \"ubuntu:24.04\"}", "runcmd",
         "[systemctl enable --now ssh]"},
        {"4: another user than the image's is made",
         "source: {kind: cloud_image, url: u, base_user: fedora}\nssh: {user: ops, key_injection: {cloud_init: disabled}}",
         "users", R"([default, {name: ops, sudo: "ALL=(ALL) NOPASSWD:ALL", groups: [wheel], shell: /bin/bash}])"},
        {"W7: root of a bootc image gets no sudo",
         "source: {kind: bootc, image: i}\nssh: {key_injection: {cloud_init: enabled}}\ncloud_init: {}", "users",
         "[default, {name: root, ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDocsOnlyKey lab@example]}]"},
        {"W7: root's login is open when it has the key",
         "source: {kind: bootc, image: i}\nssh: {key_injection: {cloud_init: enabled}}\ncloud_init: {}", "disable_root", "false"},
        {"9.2: no key through cloud-init on bootc", "source: {kind: bootc, image: i}\ncloud_init: {}", "disable_root", ""},
        {"W3: dnf mirrors", "source: {kind: cloud_image, url: u}\ncloud_init: {mirrors: {dnf: [\"http://m.example/f\"]}}",
         "yum_repos", "{ov-mirror-1: {name: ov-mirror-1, baseurl: \"http://m.example/f\", enabled: true, gpgcheck: true}}"},
        {"W3: pacman mirrors", "source: {kind: cloud_image, url: u}\ncloud_init: {mirrors: {pacman: [\"http://m.example/a\"]}}",
         "write_files", "[{path: /etc/pacman.d/mirrorlist, content: \"Server = http://m.example/a\\n\"}]"},
        {"W3: packages are refreshed after them",
         "source: {kind: cloud_image, url: u}\ncloud_init: {mirrors: {pacman: [\"http://m.example/a\"]}}", "package_update",
         "true"},
        {"W4: extra adds a key",
         "source: {kind: cloud_image, url: u}\ncloud_init: {extra: \"#cloud-config\\r\\nntp: {enabled: true}\\n\"}", "ntp",
         "{enabled: true}"},
        {"W4: extra appends to lists", "source: {kind: cloud_image, url: u}\ncloud_init: {extra: \"packages: [vim]\"}",
         "packages", "[openssh, curl, tar, vim]"},
        {"W4: extra replaces scalars",
         "source: {kind: cloud_image, url: u}\ncloud_init: {timezone: UTC, extra: \"timezone: Europe/Vienna\"}", "timezone",
         "Europe/Vienna"},
        {"W13: a clone gets a machine id of its own before anything reads the parent's",
         "source: {kind: clone, from_vm: a, from_snapshot: s, cloud_init_clean: true}\ncloud_init: {}", "ssh_deletekeys", "true"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        check_key(seed(row.body).user_data, row.key, row.expected);
    }
}

TEST_CASE("W4: extra that is no mapping is a finding, since the guest would ignore the whole seed") {
    for (const char* extra : {"[a]", "a: [", "text"}) {
        std::vector<ov::Diagnostic> findings;
        ov::parse_vm_spec(with_source("cloud_init: {extra: \"" + std::string(extra) + "\"}"), "atlas", "atlas.yml", findings);
        CAPTURE(extra);
        REQUIRE(!findings.empty());
        CHECK(findings.front().path == "vm.atlas.cloud_init.extra");
    }
}

TEST_CASE("W6: the hostname is the machine's name, made into a host label") {
    const ov::CloudInitFiles files = seed(with_source(""), "hostname: Lab_01-");
    check_key(files.user_data, "hostname", "lab-01");
    CHECK(files.meta_data == "local-hostname: lab-01\n");
}

TEST_CASE("decision 40: the machine's host key stands in the seed and the image's are deleted") {
    const ov::CloudInitFiles files =
        seed(with_source(""), "host_keys: {private: \"-----BEGIN\\nx\\n\", public: \"ssh-ed25519 A\"}");
    check_key(files.user_data, "ssh_deletekeys", "true");
    check_key(files.user_data, "ssh_keys", R"({ed25519_private: "-----BEGIN\nx\n", ed25519_public: ssh-ed25519 A})");
}

TEST_CASE("texts that another reader would take for something else come back as texts") {
    for (const char* text : {"yes",
                             "off",
                             "0644",
                             "1_000",
                             "12:30",
                             "2024-01-01",
                             "1e3",
                             "",
                             "~",
                             "null",
                             "- a",
                             "a: b",
                             "a #b",
                             " lead",
                             "trail ",
                             "tab\t",
                             "two\nlines\n",
                             "blank line\n\nend",
                             "\n",
                             "x\n\n",
                             "#c",
                             "'",
                             "\"q\"",
                             "line \nwith blank",
                             "\xc2\x85nel",
                             "\xe2\x80\xa8ls",
                             "\x01",
                             "a\\b",
                             "{",
                             "%x",
                             "@x",
                             "`x",
                             "&a",
                             "*a",
                             "!a"}) {
        ov::VmSpec spec = spec_of(with_source("cloud_init: {write_files: [{path: /x}]}"));
        spec.cloud_init->write_files[0].content = text;
        spec.cloud_init->runcmd = {text};
        const std::string user_data = ov::render_cloud_init(spec, {}).user_data;
        CAPTURE(user_data);
        const ov::YamlPtr all = tree(user_data);
        const ov::YamlNode* file = all->find("write_files")->items[0].get();
        CHECK(file->find("content")->text == text);
        CHECK(!file->find("content")->is_null());
        CHECK(all->find("runcmd")->items[1]->text == text);
    }
}
