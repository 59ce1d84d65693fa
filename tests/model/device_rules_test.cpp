// vm-spec.md 9 and libvirt-renderer.md 11: devices.
#include "model/rows.hpp"

using ov::Severity;
using ov::test::check_rows;
using ov::test::recorded_facts;
using ov::test::RuleRow;

#define DEVICES(text) "libvirt: {devices: {" text "}}"

TEST_CASE("9 disks and interfaces") {
    const RuleRow rows[] = {
        {"W9 type", DEVICES("disks: [{type: dir}]"), "libvirt.devices.disks[0].type", "file|block|network|volume"},
        {"W9 source", DEVICES("disks: [{}]"), "libvirt.devices.disks[0]", "source.file"},
        {"W9 an empty cdrom", DEVICES("disks: [{device: cdrom}]"), ""},
        {"W9 network needs host", DEVICES("disks: [{type: network, source: {protocol: nbd}}]"), "libvirt.devices.disks[0]",
         "source.host"},
        {"W4 vda", DEVICES("disks: [{source: {file: /d}, target: {dev: vda}}]"), "libvirt.devices.disks[0].target.dev",
         "root disk"},
        {"W4 targets", DEVICES("disks: [{source: {file: /d}, target: {dev: vdb}}, {source: {file: /e}, target: {dev: vdb}}]"),
         "libvirt.devices.disks[1].target.dev", "libvirt.devices.disks[0]"},
        {"4c IDE on q35", DEVICES("disks: [{source: {file: /d}, target: {bus: ide}}]"), "libvirt.devices.disks[0].target.bus",
         "sata"},
        {"17 lun", DEVICES("disks: [{device: lun, source: {file: /d}, target: {bus: scsi}}]"), "libvirt.devices.disks[0].device",
         "type: block"},
        {"4c wwn", DEVICES("disks: [{source: {file: /d}, wwn: '5000c50015ea71ad', target: {bus: virtio}}]"),
         "libvirt.devices.disks[0].wwn", "scsi and ide"},
        {"17 native", DEVICES("disks: [{source: {file: /d}, driver: {io: native}}]"), "libvirt.devices.disks[0].driver.io",
         "cache: none"},
        {"16 iothread", DEVICES("disks: [{source: {file: /d}, driver: {iothread: 1}}]"),
         "libvirt.devices.disks[0].driver.iothread", "libvirt.iothreads is 0"},
        {"W3 boot orders", DEVICES("disks: [{source: {file: /d}, boot: 1}], interfaces: [{boot: 1}]"),
         "libvirt.devices.interfaces[0].boot", "libvirt.devices.disks[0].boot"},
        {"W10 type", DEVICES("interfaces: [{type: nat}]"), "libvirt.devices.interfaces[0].type", "nat"},
        {"W10 source", DEVICES("interfaces: [{type: bridge}]"), "libvirt.devices.interfaces[0]", "source.bridge"},
        {"W10 forwards on a bridge", DEVICES("interfaces: [{type: bridge, source: {bridge: br0}, port_forwards: [{start: 80}]}]"),
         "libvirt.devices.interfaces[0].port_forwards[0]", "user only"},
        {"21 range needs start", DEVICES("interfaces: [{port_forwards: [{to: 80}]}]"),
         "libvirt.devices.interfaces[0].port_forwards[0]", "start"},
        {"20 driver needs virtio", DEVICES("interfaces: [{model: e1000, driver: {iommu: on}}]"),
         "libvirt.devices.interfaces[0].driver", "virtio"},
        {"19 unicast", DEVICES("interfaces: [{mac: '01:00:5e:00:00:01'}]"), "libvirt.devices.interfaces[0].mac", "multicast"},
        {"W6 a port twice", "network: {port_forwards: ['80:80']}\n" DEVICES("interfaces: [{port_forwards: [{start: 80}]}]"),
         "libvirt.devices.interfaces[0].port_forwards[0]", "network.port_forwards[0]"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("9 channels, serial ports, displays") {
    const RuleRow rows[] = {
        {"W11 type", DEVICES("channels: [{type: vdagent, name: x}]"), "libvirt.devices.channels[0].type", "spicevmc"},
        {"W11 spice is needed", DEVICES("channels: [{type: spicevmc}]"), "libvirt.devices.channels[0]",
         "libvirt.devices.graphics"},
        {"W11 name", DEVICES("channels: [{type: unix}]"), "libvirt.devices.channels[0]", "name"},
        {"W4 names", DEVICES("channels: [{type: unix, name: a}, {type: unix, name: a}]"), "libvirt.devices.channels[1].name",
         "libvirt.devices.channels[0]"},
        {"9 a path in a home", DEVICES("channels: [{type: unix, name: a, path: /home/kim/s}]"), "libvirt.devices.channels[0]",
         "{{.VmStateDir}}"},
        {"W23 a template", DEVICES("channels: [{type: unix, name: a, path: '{{.StateDir}}/s'}]"), "libvirt.devices.channels[0]",
         ".StateDir"},
        {"W12 tcp", DEVICES("serial: [{type: tcp, source: {host: 127.0.0.1}}]"), "libvirt.devices.serial[0]", "source.service"},
        {"W12 unix", DEVICES("serial: [{type: unix}]"), "libvirt.devices.serial[0]", "source.path"},
        {"W12 type", DEVICES("serial: [{type: udp}]"), "libvirt.devices.serial[0].type", "udp"},
        {"23 port 0", DEVICES("serial: [{target: {port: '0'}}]"), "libvirt.devices.serial[0].target.port", "console"},
        {"W12 console", DEVICES("console: [{type: pty}]"), "libvirt.devices.console[0].target", "virtio"},
        {"9 graphics type", DEVICES("graphics: [{type: web}]"), "libvirt.devices.graphics[0].type", "web"},
        {"24 one of each", DEVICES("graphics: [{type: vnc}, {type: vnc}]"), "libvirt.devices.graphics[1].type", "already"},
        {"W20 listener", DEVICES("graphics: [{type: vnc, listen: {type: tcp}}]"), "libvirt.devices.graphics[0].listen",
         "address|socket|network"},
        {"W20 a list of addresses", DEVICES("graphics: [{type: vnc, listen: [127.0.0.1]}]"), ""},
        {"W23 a password", DEVICES("graphics: [{type: vnc, passwd: secret}]"), "libvirt.devices.graphics[0].passwd",
         "passwd_file", Severity::warning},
        {"9 video model", DEVICES("video: [{heads: 1}]"), "libvirt.devices.video[0]", "model"},
        {"23 ram is qxl's", DEVICES("video: [{model: virtio, ram: 64M}]"), "libvirt.devices.video[0].ram", "qxl"},
        {"23 qxl sizes", DEVICES("video: [{model: qxl, ram: 65536, vram: 64M, vram64: 1M, vgamem: 16M}]"), ""},
        {"26 vgamem", DEVICES("video: [{model: qxl, vgamem: 12M}]"), "libvirt.devices.video[0].vgamem", "power of two"},
        {"26 too little vram", DEVICES("video: [{model: vga, vram: 512}]"), "libvirt.devices.video[0].vram", "1M"},
        {"26 vram of virtio", DEVICES("video: [{model: virtio, vram: 65536}]"), "libvirt.devices.video[0].vram", "no effect",
         Severity::warning},
        {"23 cirrus and UEFI", "firmware: uefi-insecure\n" DEVICES("video: [{model: cirrus}]"), "libvirt.devices.video[0].model",
         "virtio", Severity::warning},
        {"26 primary once", DEVICES("video: [{model: virtio, primary: true}, {model: virtio, primary: true}]"),
         "libvirt.devices.video[1].primary", "already"},
        {"26 a second vga", DEVICES("video: [{model: virtio}, {model: vga}]"), "libvirt.devices.video[1].model", "primary"},
        {"27 spice audio", DEVICES("audio: [{type: spice}]"), "libvirt.devices.audio[0].type", "spice"},
        {"W14 sound", DEVICES("sound: [{}]"), "libvirt.devices.sound[0]", "model"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("9 host devices and shares") {
    const RuleRow rows[] = {
        {"9 type", DEVICES("hostdevs: [{type: net}]"), "libvirt.devices.hostdevs[0].type", "net"},
        {"9 managed", DEVICES("hostdevs: [{type: usb, managed: maybe}]"), "libvirt.devices.hostdevs[0].managed", "maybe"},
        {"9 one error per missing key",
         "firmware: uefi-insecure\n" DEVICES("hostdevs: [{type: pci, source: {domain: 0, slot: 0, function: 0}}]"),
         "libvirt.devices.hostdevs[0]", "source.bus"},
        {"W10 decimal",
         "firmware: uefi-insecure\n" DEVICES("hostdevs: [{type: pci, source: {domain: 0, bus: 10, slot: 0, function: 0}}]"),
         "libvirt.devices.hostdevs[0].source.bus", "'10'"},
        {"W10 range",
         "firmware: uefi-insecure\n" DEVICES("hostdevs: [{type: pci, source: {domain: 0, bus: 1, slot: 0x20, function: 0}}]"),
         "libvirt.devices.hostdevs[0].source.slot", "0x1f"},
        {"W4 an address twice",
         "firmware: uefi-insecure\n" DEVICES("hostdevs: [{type: pci, source: {domain: 0, bus: 1, slot: 0, function: 0}}, {type: "
                                             "pci, source: {domain: 0x0000, bus: 0x01, slot: 0x00, function: 0x0}}]"),
         "libvirt.devices.hostdevs[1]", "libvirt.devices.hostdevs[0]"},
        {"23 PCI and BIOS", DEVICES("hostdevs: [{type: pci, source: {domain: 0, bus: 1, slot: 0, function: 0}}]"),
         "libvirt.devices.hostdevs[0]", "uefi-insecure", Severity::warning},
        {"23 PCI and BIOS with QEMU",
         "backend: qemu\n" DEVICES("hostdevs: [{type: pci, source: {domain: 0, bus: 1, slot: 0, function: 0}}]"),
         "libvirt.devices.hostdevs[0]", "uefi-insecure"},
        {"W15 usb needs both", DEVICES("hostdevs: [{type: usb, source: {vendor: 0x046d}}]"), "libvirt.devices.hostdevs[0]",
         "source.product"},
        {"W15 mdev", DEVICES("hostdevs: [{type: mdev}]"), "libvirt.devices.hostdevs[0]", "source.uuid"},
        {"W15 scsi", DEVICES("hostdevs: [{type: scsi, source: {adapter: scsi_host0, bus: 0, target: 0}}]"),
         "libvirt.devices.hostdevs[0]", "source.unit"},
        {"W15 mode", DEVICES("hostdevs: [{type: usb, mode: capabilities}]"), "libvirt.devices.hostdevs[0].mode", "capabilities"},
        {"9 share source", DEVICES("filesystems: [{driver: virtiofs, target: t}]"), "libvirt.devices.filesystems[0]", "source"},
        {"9 share driver", DEVICES("filesystems: [{driver: nfs, source: /s, target: t}]"),
         "libvirt.devices.filesystems[0].driver", "nfs"},
        {"9 accessmode", DEVICES("filesystems: [{source: /s, target: t, accessmode: open}]"),
         "libvirt.devices.filesystems[0].accessmode", "open"},
        {"31 virtiofs is passthrough", DEVICES("filesystems: [{driver: virtiofs, source: /s, target: t, accessmode: mapped}]"),
         "libvirt.devices.filesystems[0].accessmode", "passthrough"},
        {"W16 ram", DEVICES("filesystems: [{type: ram, source: /s, target: t}]"), "libvirt.devices.filesystems[0].type", "ram"},
        {"32 a tag of 36 bytes",
         DEVICES("filesystems: [{driver: virtiofs, source: /s, target: abcdefghijklmnopqrstuvwxyzabcdefghij}]"), ""},
        {"4d a tag of 37 bytes",
         DEVICES("filesystems: [{driver: virtiofs, source: /s, target: abcdefghijklmnopqrstuvwxyzabcdefghijk}]"),
         "libvirt.devices.filesystems[0].target", "36"},
        {"32 a 9p tag of 32 bytes", DEVICES("filesystems: [{driver: 9p, source: /s, target: abcdefghijklmnopqrstuvwxyzabcdef}]"),
         "libvirt.devices.filesystems[0].target", "31"},
        {"31 tags once", DEVICES("filesystems: [{driver: 9p, source: /s, target: t}, {driver: 9p, source: /u, target: t}]"),
         "libvirt.devices.filesystems[1].target", "libvirt.devices.filesystems[0]"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}

TEST_CASE("9 small devices") {
    const RuleRow rows[] = {
        {"28 ps2 tablet", DEVICES("inputs: [{type: tablet, bus: ps2}]"), "libvirt.devices.inputs[0].bus", "usb"},
        {"29 USB without a controller", DEVICES("usb: [{model: none}], hub: [{type: usb}]"), "libvirt.devices.usb", "qemu-xhci"},
        {"29 redirection", DEVICES("redirdev: [{}]"), "libvirt.devices.redirdev[0]", "spice"},
        {"W14 redirdev tcp", DEVICES("redirdev: [{type: tcp}]"), "libvirt.devices.redirdev[0].type", "tcp"},
        {"W14 egd", DEVICES("rng: [{backend: egd}]"), "libvirt.devices.rng[0].backend", "egd"},
        {"33 rate", DEVICES("rng: [{rate: {period: 1000}}]"), "libvirt.devices.rng[0].rate", "bytes"},
        {"34 one TPM", DEVICES("tpm: [{}, {}]"), "libvirt.devices.tpm[1]", "one TPM"},
        {"34 crb is 2.0", DEVICES("tpm: [{backend: {type: emulator, version: '1.2'}}]"), "libvirt.devices.tpm[0].backend.version",
         "tpm-tis"},
        {"35 watchdog", DEVICES("watchdog: [{model: tick}]"), "libvirt.devices.watchdog[0].model", "tick"},
        {"W14 memballoon", DEVICES("memballoon: {autodeflate: on}"), "libvirt.devices.memballoon", "model"},
        {"W17 shmem", DEVICES("shmem: [{name: s, model: {type: ivshmem-plain}, size: 3M}]"), "libvirt.devices.shmem[0].size",
         "power of two"},
        {"37 iommu on pc", "machine: pc\n" DEVICES("iommu: {model: intel}"), "libvirt.devices.iommu.model", "q35"},
        {"37 intremap", DEVICES("iommu: {model: intel, driver: {intremap: on}}"), "libvirt.devices.iommu.driver.intremap",
         "ioapic"},
        {"38 cid", DEVICES("vsock: {cid: {auto: no, address: 2}}"), "libvirt.devices.vsock.cid.address", "'2'"},
        {"39 panic", DEVICES("panic: [{model: pseries}]"), "libvirt.devices.panic[0].model", "pSeries"},
        {"W14 certificates", DEVICES("smartcard: [{mode: host-certificates}]"), "libvirt.devices.smartcard[0].mode", "snippet"},
        {"29 hub", DEVICES("hub: [{type: pci}]"), "libvirt.devices.hub[0].type", "pci"},
    };
    check_rows(rows, recorded_facts("libvirt-11.3"));
}
