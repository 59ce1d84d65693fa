// vm-spec.md 2 to 7 and 11: source, sizes, machine, firmware, network, ssh, cloud-init, snapshots.
#include "model/rows.hpp"

using ov::Severity;
using ov::test::check_rows;
using ov::test::recorded_facts;
using ov::test::RuleRow;

TEST_CASE("3 source: what each kind needs and refuses") {
    const RuleRow rows[] = {
        {"3 kind is needed", "source: {url: x}", "source", "one of cloud_image|bootc|bootstrap|clone|imported"},
        {"3 kind is an enum", "source: {kind: cloud}", "source.kind", "got 'cloud'"},
        {"3 cloud_image needs url", "source: {kind: cloud_image}", "source", "source.url"},
        {"3 bootc needs image", "source: {kind: bootc}", "source", "source.image"},
        {"3 clone needs from_vm", "source: {kind: clone, from_snapshot: s}", "source", "source.from_vm"},
        {"3 clone needs from_snapshot", "source: {kind: clone, from_vm: v}", "source", "source.from_snapshot"},
        {"3 imported needs libvirt_name", "source: {kind: imported, disk_path: /d, disk_format: raw}", "source",
         "source.libvirt_name"},
        {"3 imported needs disk_path", "source: {kind: imported, libvirt_name: n, disk_format: raw}", "source",
         "source.disk_path"},
        {"3 imported needs disk_format", "source: {kind: imported, libvirt_name: n, disk_path: /d}", "source",
         "source.disk_format"},
        {"3 bootstrap needs builder", "source: {kind: bootstrap, distro: debian}", "source", "source.builder"},
        {"3 bootstrap needs distro", "source: {kind: bootstrap, builder: debootstrap}", "source", "source.distro"},
        {"3 bootc refuses url", "source: {kind: bootc, image: i, url: 'https://x'}", "source.url",
         "the kind bootc has no such key"},
        {"3 cloud_image refuses image", "source: {kind: cloud_image, url: 'https://x', image: i}", "source.image", "for bootc"},
        {"W4 clone refuses rootfs", "source: {kind: clone, from_vm: v, from_snapshot: s, rootfs: xfs}", "source.rootfs",
         "bootc, bootstrap"},
        {"W4 cloud_image refuses from_vm", "source: {kind: cloud_image, url: 'https://x', from_vm: v}", "source.from_vm",
         "clone"},
        {"W4 distro and base_user are for every kind", "source: {kind: bootc, image: i, distro: fedora, base_user: u}", ""},
        {"3 checksum.type", "source: {kind: cloud_image, url: 'https://x', checksum: {type: md5}}", "source.checksum.type",
         "'md5'"},
        {"W4 checksum.value", "source: {kind: cloud_image, url: 'https://x', checksum: {type: sha256, value: abc}}",
         "source.checksum.value", "64 hex digits"},
        {"W4 url scheme", "source: {kind: cloud_image, url: 'ftp://x'}", "source.url", "ftp://x"},
        {"3 transport", "source: {kind: bootc, image: i, transport: tar}", "source.transport", "oci-archive"},
        {"3 rootfs", "source: {kind: bootc, image: i, rootfs: zfs}", "source.rootfs", "zfs"},
        {"W4 disk_path is absolute", "source: {kind: imported, libvirt_name: n, disk_path: d, disk_format: raw}",
         "source.disk_path", "'d'"},
        {"3 disk_format", "source: {kind: imported, libvirt_name: n, disk_path: /d, disk_format: vmdk}", "source.disk_format",
         "qcow2|raw"},
        {"W4 a clone of itself", "source: {kind: clone, from_vm: m, from_snapshot: s}", "source.from_vm", "itself"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("2, 10.1, 11 sizes, machine, firmware, backend") {
    const RuleRow rows[] = {
        {"10.1 ram", "ram: lots", "ram", "'lots'"},
        {"10.1 ram of zero", "ram: 0", "ram", "'0'"},
        {"10.1 ram is whole MiB", "ram: 1.5K", "ram", "whole MiB"},
        {"10.1 all spellings", "ram: 4 GiB\ndisk_size: 10.5g", ""},
        {"10.1 disk_size", "disk_size: -3G", "disk_size", "'-3G'"},
        {"2 cpu is an integer", "cpu: '4'", "cpu", "expected an integer"},
        {"W7 machine name", "machine: 'q35,x'", "machine", "'q35,x'"},
        {"W7 i440fx is pc", "machine: i440fx", ""},
        {"W34 a machine this host lacks", "machine: pc-q35-11.0", "machine",
         "no machine 'pc-q35-11.0'; did you mean \"pc-q35-10.0\"?"},
        {"11 firmware", "firmware: uefi", "firmware", "bios|uefi-insecure|uefi-secure"},
        {"11 secure needs q35", "firmware: uefi-secure\nmachine: i440fx", "firmware", "machine: i440fx; use q35"},
        {"11 secure refuses pc", "firmware: uefi-secure\nmachine: pc", "firmware", "machine: pc"},
        {"11 secure refuses smm false", "firmware: uefi-secure\nlibvirt: {features: {smm: false}}", "libvirt.features.smm",
         "libvirt.features.smm"},
        {"11 secure without smm is fine", "firmware: uefi-secure", ""},
        {"W3 backend", "backend: kvm", "backend", "'kvm'"},
        {"2 autostart is libvirt's", "autostart: true\nbackend: qemu", "autostart", "qemu"},
        {"15.1 uri", "libvirt: {uri: 'xen:///'}", "libvirt.uri", "xen:///"},
        {"15.1 remote uri", "libvirt: {uri: 'qemu+ssh://op@host:2222/system'}", ""},
        {"15.1 remote path", "libvirt: {uri: 'qemu+ssh://host/embed'}", "libvirt.uri", "/session or /system"},
        {"W18 port of the uri", "libvirt: {uri: 'qemu+ssh://host:70000/system'}", "libvirt.uri", "65535"},
        {"W18 query of the uri", "libvirt: {uri: 'qemu:///session?socket=x'}", "libvirt.uri", "query"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("4, 5 network and ssh") {
    const RuleRow rows[] = {
        {"4 mode", "network: {mode: passt}", "network.mode", "user|bridge|nat|network"},
        {"4 bridge needs a bridge", "network: {mode: bridge}", "network", "network.bridge"},
        {"W12 mac", "network: {mac: '52:54:00:12:34'}", "network.mac", "52:54:00:12:34"},
        {"W12 multicast mac", "network: {mac: '53:54:00:12:34:56'}", "network.mac", "multicast"},
        {"W6 without a colon", "network: {port_forwards: ['8443']}", "network.port_forwards[0]", "8443"},
        {"W6 trailing text", "network: {port_forwards: ['80:80x']}", "network.port_forwards[0]", "80:80x"},
        {"W6 port range", "network: {port_forwards: ['1:70000']}", "network.port_forwards[0]", "65535"},
        {"W6 all forms", "network: {port_forwards: ['127.0.0.1:8080:80', '5353:53/udp', '[::1]:8081:81/tcp']}", ""},
        {"W6 duplicate", "network: {port_forwards: ['80:80', '80:81']}", "network.port_forwards[1]",
         "taken by network.port_forwards[0]"},
        {"W6 the SSH port", "network: {port_forwards: ['2222:80']}", "network.port_forwards[0]", "ssh.port"},
        {"W6 same port, other protocol", "network: {port_forwards: ['80:80', '80:80/udp']}", ""},
        {"W6 not in other modes", "network: {mode: nat, port_forwards: ['80:80']}", "network.port_forwards[0]", "user only"},
        {"5 port", "ssh: {port: 70000}", "ssh.port", "70000"},
        {"5 port_auto", "ssh: {port: 22, port_auto: true}", "ssh.port_auto", "mutually exclusive"},
        {"5 key_source", "ssh: {key_source: keys/me.pub}", "ssh.key_source", "keys/me.pub"},
        {"5 key_injection.smbios", "ssh: {key_injection: {smbios: maybe}}", "ssh.key_injection.smbios", "maybe"},
        {"5 key_injection.cloud_init", "ssh: {key_injection: {cloud_init: 'yes'}}", "ssh.key_injection.cloud_init", "'yes'"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("cloud-init 2 and 7 snapshots") {
    const RuleRow rows[] = {
        {"2 users need a name", "cloud_init: {users: [{sudo: true}]}", "cloud_init.users[0]", "name"},
        {"W5 user names", "cloud_init: {users: [{name: Mira Lo}]}", "cloud_init.users[0].name", "Mira Lo"},
        {"W5 hostname", "cloud_init: {hostname: my_host}", "cloud_init.hostname", "my_host"},
        {"W5 control characters", "cloud_init: {package: [\"a\\nb\"]}", "cloud_init.package[0]", "control"},
        {"W5 url", "cloud_init: {ov_install: {strategy: url, url: 'ftp://x'}}", "cloud_init.ov_install.url", "ftp://x"},
        {"W5 duplicate users", "cloud_init: {users: [{name: a}, {name: a}]}", "cloud_init.users[1].name", "already"},
        {"2 files need a path", "cloud_init: {write_files: [{content: x}]}", "cloud_init.write_files[0]", "path"},
        {"W5 relative path", "cloud_init: {write_files: [{path: x}]}", "cloud_init.write_files[0].path", "absolute"},
        {"W5 encoding", "cloud_init: {write_files: [{path: /x, encoding: base64}]}", "cloud_init.write_files[0].encoding", "b64"},
        {"W5 perms", "cloud_init: {write_files: [{path: /x, perms: rw}]}", "cloud_init.write_files[0].perms", "'rw'"},
        {"2 strategy", "cloud_init: {ov_install: {strategy: curl}}", "cloud_init.ov_install.strategy", "auto|scp|url|skip"},
        {"2 url", "cloud_init: {ov_install: {strategy: url}}", "cloud_init.ov_install", "cloud_init.ov_install.url"},
        {"W5 checksum", "cloud_init: {ov_install: {checksum: 'md5:1'}}", "cloud_init.ov_install.checksum", "sha256:"},
        {"2 runcmd holds texts", "cloud_init: {runcmd: [[a, b]]}", "cloud_init.runcmd[0]", "expected a text"},
        {"7 name", "snapshot: [{mode: internal}]", "snapshot[0]", "name"},
        {"7 duplicate", "snapshot: [{name: a}, {name: a}]", "snapshot[1].name", "'a'"},
        {"W22 names", "snapshot: [{name: 'a b'}]", "snapshot[0].name", "'a b'"},
        {"7 mode", "snapshot: [{name: a, mode: live}]", "snapshot[0].mode", "live"},
        {"W22 from", "snapshot: [{name: a, from: b}]", "snapshot[0].from", "no effect", Severity::warning},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("1, W2 keys: types, near names, older spellings") {
    const RuleRow rows[] = {
        {"1 wrong type", "libvirt: [a]", "libvirt", "expected a mapping"},
        {"1 list for a text", "ram: [4G]", "ram", "expected a text"},
        {"W2 near name", "network: {port_forward: ['80:80']}", "network.port_forward", "did you mean \"port_forwards\"?",
         Severity::warning},
        {"W2 inside a device", "libvirt: {devices: {disks: [{source: {flie: /x}}]}}", "libvirt.devices.disks[0].source.flie",
         "did you mean \"file\"?", Severity::warning},
        {"1 cpus", "cpus: 4", "cpus", "write cpu", Severity::warning},
        {"1 both spellings", "cpus: 4\ncpu: 2", "cpus", "different values"},
        {"1 packages", "cloud_init: {packages: [curl]}", "cloud_init.packages", "write package", Severity::warning},
        {"9.1 listener without type", "libvirt: {devices: {graphics: [{type: vnc, listen: {}}]}}",
         "libvirt.devices.graphics[0].listen", "type"},
        {"24 a control character", "libvirt: {devices: {emulator: \"/q\\x07\"}}", "libvirt.devices.emulator",
         "control character"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("30 instances: nothing that only one machine can have") {
    const RuleRow rows[] = {
        {"30 forwards", "network: {port_forwards: ['80:80']}", "network.port_forwards", "3 instances"},
        {"30 mac", "network: {mac: '52:54:00:12:34:56'}", "network.mac", "3 instances"},
        {"30 host devices", "libvirt: {devices: {hostdevs: [{type: usb, source: {vendor: '0x1', product: '0x2'}}]}}",
         "libvirt.devices.hostdevs", "3 instances"},
        {"30 a fixed SSH port is no matter", "ssh: {port: 2300}", ""},
    };
    ov::ValidateOptions options;
    options.instances = 3;
    check_rows(rows, recorded_facts("libvirt-11.3"), options);
}

TEST_CASE("W24 create needs an account to log in with") {
    ov::ValidateOptions options;
    options.for_create = true;
    const RuleRow rows[] = {
        {"no account", "ssh: {port: 2300}", "ssh", "ssh.user"},
        {"an account", "ssh: {user: me}", ""},
        {"no key either", "ssh: {key_source: none}", ""},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"), options);
}
