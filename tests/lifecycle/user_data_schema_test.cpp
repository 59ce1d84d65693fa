#include <doctest/doctest.h>

#include <cstdlib>

#include "lifecycle/vm_keys.hpp"
#include "ov/render.hpp"
#include "ov/vm_validate.hpp"
#include "support/temp_tree.hpp"

using namespace ov;
using ov::test::TempTree;

TEST_CASE("cloud-init's own schema takes every user-data that is rendered") {
    if (std::system("command -v cloud-init >/dev/null 2>&1") != 0) {
        MESSAGE("skipped: cloud-init is missing");
        return;
    }
    struct Row {
        const char *name, *body;
    };
    const Row rows[] = {
        {"nothing configured", "source: {kind: cloud_image, url: 'https://m.invalid/x.qcow2'}\n"},
        {"an account that is adopted", "source: {kind: cloud_image, url: 'https://m.invalid/x.qcow2', base_user: debian}\n"},
        {"an account that is made",
         "source: {kind: cloud_image, url: 'https://m.invalid/x.qcow2', distro: 'debian:12'}\nssh: {user: ops}\n"},
        {"root of a bootc image",
         "source: {kind: bootc, image: q.io/x/y}\ndisk_size: 10G\nssh: {key_injection: {cloud_init: enabled}}\n"},
        {"a clone that is cleaned",
         "source: {kind: clone, from_vm: a, from_snapshot: s, cloud_init_clean: true}\nssh: {user: ops}\ncloud_init: {hostname: "
         "c}\n"},
        {"everything",
         "source: {kind: cloud_image, url: 'https://m.invalid/x.qcow2', distro: debian}\n"
         "ssh: {user: ops}\n"
         "cloud_init:\n"
         "  hostname: all-01\n  timezone: Europe/Vienna\n  locale: de_AT.UTF-8\n"
         "  users: [{name: audit, groups: [adm, systemd-journal], shell: /bin/sh, lock_passwd: true}, {name: ops, sudo: true}]\n"
         "  package: [htop, curl]\n  runcmd: ['echo \"a: b # c\"', 'true']\n  bootcmd: ['modprobe nbd || true']\n"
         "  write_files: [{path: /etc/motd, content: \"welcome\\n\", perms: '0644', owner: 'root:root'},"
         " {path: /etc/bin, content: aGFsbG8=, encoding: b64}]\n"
         "  mirrors: {apt: ['http://apt.invalid/debian']}\n"
         "  network: {ethernets: {enp1s0: {dhcp4: true}}}\n"
         "  ov_install: {strategy: url, url: 'https://dl.invalid/ov', checksum: "
         "'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}\n"
         "  extra: |\n    #cloud-config\n    ntp: {enabled: true}\n    package_upgrade: true\n    runcmd: [date]\n"},
        {"dnf mirrors",
         "source: {kind: cloud_image, url: 'https://m.invalid/x.qcow2', distro: fedora, base_user: fedora}\n"
         "cloud_init: {mirrors: {dnf: ['https://dnf.invalid/a', 'https://dnf.invalid/b']}}\n"},
        {"pacman mirrors",
         "source: {kind: cloud_image, url: 'https://m.invalid/x.qcow2', base_user: arch}\n"
         "cloud_init: {mirrors: {pacman: ['https://arch.invalid/$repo/os/$arch']}}\n"},
        {"words that YAML 1.1 reads as other things",
         "source: {kind: cloud_image, url: 'https://m.invalid/x.qcow2', base_user: debian}\n"
         "cloud_init: {runcmd: ['yes', 'no', '0644', '12:30', '~', 'a: b', ' x ', '#c'], package: ['on', '1e3']}\n"},
        {"both channels off",
         "source: {kind: cloud_image, url: 'https://m.invalid/x.qcow2', base_user: debian}\n"
         "ssh: {key_injection: {cloud_init: disabled, smbios: disabled}}\n"},
    };
    const TempTree tree;
    const SshKeypair host = make_ed25519_keypair();
    for (const Row& row : rows) {
        CAPTURE(row.name);
        std::vector<Diagnostic> findings;
        const VmSpec spec = parse_vm_spec(row.body, "web", "web.yml", findings);
        for (const Diagnostic& finding : findings) CHECK(finding.str() == "");
        VmRuntime runtime;
        runtime.public_key = make_ed25519_keypair().public_line;
        runtime.instance_id = new_instance_id();
        runtime.hostname = "web";
        runtime.host_key_private = host.private_file;
        runtime.host_key_public = host.public_line;
        const std::string text = render_cloud_init(spec, runtime).user_data;
        tree.write("user-data", text);
        const int status =
            std::system(("cloud-init schema -c " + tree.path("user-data") + " > " + tree.path("said") + " 2>&1").c_str());
        CAPTURE(text);
        CAPTURE(tree.read("said"));
        CHECK(status == 0);
    }
}
