// The support table. A row says what a key of the schema needs; rows of single values stand beside the row of their block.
// "since" of 0.0 means that no libvirt from 9.0 on lacks it.
#include "ov/vm_features.hpp"

#include <fmt/format.h>

#include <array>

namespace ov {

namespace {

constexpr std::string_view no_argv = "";

#define DEVICES "libvirt.devices."
#define FEATURES "libvirt.features."

constexpr VmFeature table[] = {
    // area, path, value, since, part of the domain, what the driver asks for, argv
    {"network, user",
     "network.mode",
     "user",
     {},
     "interface type='user'",
     "forwards: passt, else qemu:commandline",
     "-netdev user"},
    {"network, bridge", "network.mode", "bridge", {}, "interface type='bridge'", "the host's bridge", "-netdev bridge"},
    {"network, nat", "network.mode", "nat", {}, "interface type='network'", "a libvirt network", no_argv},
    {"network, network", "network.mode", "network", {}, "interface type='network'", "a libvirt network", no_argv},
    {"port forwards",
     "network.port_forwards",
     "",
     {},
     "interface/portForward",
     "passt (9.0; not on Debian 12), else qemu:commandline",
     "-netdev user,hostfwd="},
    {"autostart", "autostart", "", {}, "virDomainSetAutostart", "", no_argv},
    {"firmware", "firmware", "uefi-insecure", {}, "os/loader, os/nvram", "no Secure Boot in the image", "-drive if=pflash"},
    {"firmware",
     "firmware",
     "uefi-secure",
     {},
     "os/loader secure='yes', features/smm",
     "q35, smm, enrolled keys",
     "-drive if=pflash, -global driver=cfi.pflash01,property=secure,value=on"},
    {"snippets", "libvirt.snippets", "", {}, "by element", "well-formed, a known parent, no second singleton", no_argv},
    {"passthrough", "libvirt.xml_passthrough", "", {}, "children of domain", "well-formed", no_argv},
    {"hypervisor", "libvirt.uri", "", {}, "connection", "", no_argv},
    {"features", FEATURES "acpi", "", {}, "features/acpi", "", no_argv},
    {"features", FEATURES "apic", "", {}, "features/apic", "", no_argv},
    {"features", FEATURES "pae", "", {}, "features/pae", "", no_argv},
    {"features", FEATURES "hap", "", {}, "features/hap", "", no_argv},
    {"features smm", FEATURES "smm", "", {1, 2, 16}, "features/smm", "q35", "-machine smm=on"},
    {"features vmport", FEATURES "vmport", "", {1, 2, 16}, "features/vmport", "", no_argv},
    {"features pmu", FEATURES "pmu", "", {1, 2, 12}, "features/pmu", "", no_argv},
    {"features ibs", FEATURES "ibs", "", {6, 3, 0}, "features/ibs", "pSeries", no_argv},
    {"kvm", FEATURES "kvm.hidden", "", {1, 2, 8}, "features/kvm/hidden", "", no_argv},
    {"kvm", FEATURES "kvm.hint_dedicated", "", {5, 7, 0}, "features/kvm/hint-dedicated", "", no_argv},
    {"kvm", FEATURES "kvm.poll_control", "", {6, 10, 0}, "features/kvm/poll-control", "", no_argv},
    {"kvm", FEATURES "kvm.pv_ipi", "", {7, 10, 0}, "features/kvm/pv-ipi", "", no_argv},
    {"kvm", FEATURES "kvm.dirty_ring_size", "", {8, 0, 0}, "features/kvm/dirty-ring", "a power of two in 1024..65536", no_argv},
    {"hyperv",
     FEATURES "hyperv",
     "",
     {4, 10, 0},
     "features/hyperv",
     "vendor_id of at most 12 characters, retries of at least 4095",
     no_argv},
    {"cpu", "libvirt.cpu.mode", "host-passthrough", {}, "cpu/@mode", "KVM", "-cpu host"},
    {"cpu", "libvirt.cpu.mode", "host-model", {}, "cpu/@mode", "", "-cpu max"},
    {"cpu", "libvirt.cpu.mode", "custom", {}, "cpu/@mode", "a model", "-cpu MODEL"},
    {"cpu maximum", "libvirt.cpu.mode", "maximum", {7, 1, 0}, "cpu/@mode", "", "-cpu max"},
    {"cpu model", "libvirt.cpu.model", "", {}, "cpu/model", "", "-cpu MODEL"},
    {"cpu check", "libvirt.cpu.check", "", {}, "cpu/@check", "", no_argv},
    {"cpu migratable", "libvirt.cpu.migratable", "", {}, "cpu/@migratable", "", "-cpu host,migratable="},
    {"cpu topology", "libvirt.cpu.topology", "", {}, "cpu/topology", "the product is the number of vCPUs", "-smp"},
    {"cpu topology", "libvirt.cpu.topology.dies", "", {6, 1, 0}, "cpu/topology/@dies", "", "-smp dies="},
    {"cpu features", "libvirt.cpu.features", "", {}, "cpu/feature", "", "-cpu ...,+name,-name"},
    {"cpu cache", "libvirt.cpu.cache", "", {}, "cpu/cache", "emulate: level 3", no_argv},
    {"numa cells", "libvirt.cpu.numa", "", {}, "cpu/numa", "the cells hold the guest's memory", no_argv},
    {"clock", "libvirt.clock", "", {}, "clock", "timezone with offset timezone only", no_argv},
    {"clock absolute", "libvirt.clock.offset", "absolute", {8, 4, 0}, "clock/@start", "", no_argv},
    {"memory backing", "libvirt.memory_backing", "", {}, "memoryBacking", "", no_argv},
    {"memory backing", "libvirt.memory_backing.source", "memfd", {4, 10, 0}, "memoryBacking/source", "", no_argv},
    {"memory backing", "libvirt.memory_backing.discard", "", {4, 4, 0}, "memoryBacking/discard", "", no_argv},
    {"memtune", "libvirt.memtune", "", {}, "memtune", "no min_guarantee", no_argv},
    {"numatune", "libvirt.numatune", "", {}, "numatune", "memnode: guest cells; restrictive: all or none", no_argv},
    {"cputune", "libvirt.cputune", "", {}, "cputune", "pins name vCPUs and iothreads that exist", no_argv},
    {"iothreads", "libvirt.iothreads", "", {}, "iothreads", "", no_argv},
    {"emulator", DEVICES "emulator", "", {}, "devices/emulator", "", no_argv},
    {"disk",
     DEVICES "disks",
     "",
     {},
     "disk",
     "one target name once; lun on block devices; io native with cache none or directsync",
     "-drive (files on virtio, sata and ide)"},
    {"disk io_uring", DEVICES "disks[].driver.io", "io_uring", {6, 3, 0}, "disk/driver/@io", "", no_argv},
    {"disk block", DEVICES "disks[].type", "block", {}, "disk type='block'", "", no_argv},
    {"disk network", DEVICES "disks[].type", "network", {}, "disk type='network'", "", no_argv},
    {"disk volume", DEVICES "disks[].type", "volume", {}, "disk type='volume'", "a storage pool", no_argv},
    {"disk driver", DEVICES "disks[].driver.cache", "", {}, "disk/driver/@cache", "", no_argv},
    {"disk driver", DEVICES "disks[].driver.discard", "", {}, "disk/driver/@discard", "", no_argv},
    {"disk driver", DEVICES "disks[].driver.error_policy", "", {}, "disk/driver/@error_policy", "", no_argv},
    {"disk driver", DEVICES "disks[].driver.iothread", "", {}, "disk/driver/@iothread", "", no_argv},
    {"disk serial", DEVICES "disks[].serial", "", {}, "disk/serial", "", no_argv},
    {"disk wwn", DEVICES "disks[].wwn", "", {}, "disk/wwn", "buses scsi and ide", no_argv},
    {"disk boot", DEVICES "disks[].boot", "", {}, "disk/boot", "excludes os/boot", no_argv},
    {"interface", DEVICES "interfaces", "", {}, "interface", "a unicast MAC", no_argv},
    {"interface forwards",
     DEVICES "interfaces[].port_forwards",
     "",
     {9, 0, 0},
     "interface/portForward",
     "passt (not on Debian 12)",
     no_argv},
    {"channel", DEVICES "channels", "", {}, "channel", "", "-device virtserialport (the guest agent's)"},
    {"channel spicevmc", DEVICES "channels[].type", "spicevmc", {}, "channel type='spicevmc'", "a spice display", no_argv},
    {"serial", DEVICES "serial", "", {}, "serial", "", no_argv},
    {"console", DEVICES "console", "", {}, "console", "", no_argv},
    {"parallel", DEVICES "parallel", "", {}, "parallel", "", no_argv},
    {"graphics", DEVICES "graphics", "", {}, "graphics", "one of each type", no_argv},
    {"graphics rdp",
     DEVICES "graphics[].type",
     "rdp",
     {11, 1, 0},
     "graphics type='rdp'",
     "qemu-rdp; 9.0 refuses it in the driver",
     no_argv},
    {"video", DEVICES "video", "", {}, "video", "vga, cirrus, bochs and ramfb as the primary one", no_argv},
    {"video ramfb", DEVICES "video[].model", "ramfb", {5, 9, 0}, "video/model", "", no_argv},
    {"video none", DEVICES "video[].model", "none", {4, 6, 0}, "video/model", "stands alone", no_argv},
    {"audio", DEVICES "audio", "", {}, "audio", "spice: a spice display", no_argv},
    {"sound", DEVICES "sound", "", {}, "sound", "", no_argv},
    {"sound virtio", DEVICES "sound[].model", "virtio", {10, 4, 0}, "sound/@model", "QEMU 8.2", no_argv},
    {"input", DEVICES "inputs", "", {}, "input", "", no_argv},
    {"usb controller", DEVICES "usb", "", {}, "controller type='usb'", "", no_argv},
    {"redirdev", DEVICES "redirdev", "", {}, "redirdev", "a spice display", no_argv},
    {"hub", DEVICES "hub", "", {}, "hub", "a USB controller", no_argv},
    {"smartcard", DEVICES "smartcard", "", {}, "smartcard", "spicevmc: a spice display", no_argv},
    {"hostdev", DEVICES "hostdevs", "", {}, "hostdev", "every function of the IOMMU group", no_argv},
    {"hostdev driver model", DEVICES "hostdevs[].driver.model", "", {10, 0, 0}, "hostdev/driver/@model", "", no_argv},
    {"hostdev iommufd", DEVICES "hostdevs[].driver.iommufd", "", {12, 1, 0}, "hostdev/driver/@iommufd", "", no_argv},
    {"filesystem", DEVICES "filesystems", "", {}, "filesystem", "type mount", no_argv},
    {"virtiofs",
     DEVICES "filesystems[].driver",
     "virtiofs",
     {6, 2, 0},
     "filesystem/driver/@type",
     "virtiofsd, shared memory, a tag of at most 36 bytes; unprivileged: 10.0",
     no_argv},
    {"virtiofs sandbox", DEVICES "filesystems[].binary.sandbox", "", {7, 2, 0}, "filesystem/binary/sandbox", "", no_argv},
    {"virtiofs thread_pool",
     DEVICES "filesystems[].binary.thread_pool",
     "",
     {8, 5, 0},
     "filesystem/binary/thread_pool",
     "",
     no_argv},
    {"rng", DEVICES "rng", "", {}, "rng", "bytes and period above 0", "-object rng-random, -device virtio-rng-pci"},
    {"rng builtin", DEVICES "rng[].backend", "builtin", {6, 1, 0}, "rng/backend/@model", "", "-object rng-builtin"},
    {"rng rate", DEVICES "rng[].rate", "", {}, "rng/rate", "", "-device virtio-rng-pci,max-bytes="},
    {"tpm", DEVICES "tpm", "", {4, 5, 0}, "tpm", "emulator: swtpm", no_argv},
    {"watchdog", DEVICES "watchdog", "", {}, "watchdog", "one before 9.1", no_argv},
    {"watchdog itco", DEVICES "watchdog[].model", "itco", {9, 1, 0}, "watchdog/@model", "q35", no_argv},
    {"watchdogs", DEVICES "watchdog[1]", "", {9, 1, 0}, "watchdog", "", no_argv},
    {"memballoon", DEVICES "memballoon", "", {}, "memballoon", "", "-device virtio-balloon-pci"},
    {"memballoon", DEVICES "memballoon.autodeflate", "", {1, 3, 1}, "memballoon/@autodeflate", "", no_argv},
    {"memballoon", DEVICES "memballoon.stats", "", {}, "memballoon/stats", "", no_argv},
    {"shmem", DEVICES "shmem", "", {}, "shmem", "a power of two of at least 1 MiB", no_argv},
    {"iommu", DEVICES "iommu", "", {}, "iommu", "intel: q35; intremap: ioapic driver qemu", no_argv},
    {"iommu virtio", DEVICES "iommu.model", "virtio", {8, 3, 0}, "iommu/@model", "", no_argv},
    {"vsock", DEVICES "vsock", "", {4, 4, 0}, "vsock", "an address of at least 3", no_argv},
    {"panic", DEVICES "panic", "", {}, "panic", "", no_argv},
    {"panic pvpanic", DEVICES "panic[].model", "pvpanic", {9, 1, 0}, "panic/@model", "", no_argv},
    {"seclabel", "libvirt.seclabel", "", {}, "seclabel", "dynamic labels relabel", no_argv},
    {"launch security sev",
     "libvirt.launch_security.type",
     "sev",
     {4, 5, 0},
     "launchSecurity type='sev'",
     "a policy; AMD SEV",
     no_argv},
    {"launch security sev-es",
     "libvirt.launch_security.type",
     "sev-es",
     {4, 5, 0},
     "launchSecurity type='sev'",
     "policy bit 0x4; AMD SEV-ES",
     no_argv},
    {"launch security sev-snp",
     "libvirt.launch_security.type",
     "sev-snp",
     {10, 5, 0},
     "launchSecurity type='sev-snp'",
     "a policy; AMD SEV-SNP",
     no_argv},
    {"launch security tdx", "libvirt.launch_security.type", "tdx", {11, 6, 0}, "launchSecurity type='tdx'", "Intel TDX", no_argv},
    {"launch security", "libvirt.launch_security", "", {}, "launchSecurity", "", no_argv},
    {"resource", "libvirt.resource", "", {}, "resource", "", no_argv},
    {"resource fibrechannel", "libvirt.resource.fibrechannel", "", {7, 7, 0}, "resource/fibrechannel", "", no_argv},
    {"sysinfo",
     "libvirt.sysinfo.oem_strings",
     "",
     {4, 1, 0},
     "sysinfo/oemStrings",
     "os/smbios mode='sysinfo', no control characters",
     "-smbios type=11,value="},
    {"sysinfo", "libvirt.sysinfo.type", "smbios", {}, "sysinfo/@type", "", "-smbios"},
    {"sysinfo bios", "libvirt.sysinfo.bios", "", {}, "sysinfo/bios", "os/smbios mode='sysinfo'", no_argv},
    {"sysinfo system", "libvirt.sysinfo.system", "", {}, "sysinfo/system", "os/smbios mode='sysinfo'", no_argv},
    {"sysinfo chassis", "libvirt.sysinfo.chassis", "", {}, "sysinfo/chassis", "os/smbios mode='sysinfo'", no_argv},
    {"sysinfo baseBoard", "libvirt.sysinfo.baseboard", "", {}, "sysinfo/baseBoard", "os/smbios mode='sysinfo'", no_argv},
    {"sysinfo processor", "libvirt.sysinfo.processor", "", {}, "(no libvirt takes it)", "refused", no_argv},
};

#undef DEVICES
#undef FEATURES

// A share that is read-only differs by driver, so its row is asked for by name (check_host).
constexpr VmFeature read_only_share{"virtiofs readonly",
                                    "libvirt.devices.filesystems[].readonly",
                                    "virtiofs",
                                    {11, 0, 0},
                                    "filesystem/readonly",
                                    "9p: any version",
                                    ""};
constexpr VmFeature idmap_row{
    "virtiofs idmap", "(automatic)", "", {10, 0, 0}, "filesystem/idmap", "subordinate ids; left out before", ""};

}  // namespace

std::span<const VmFeature> vm_features() {
    return table;
}

const VmFeature& readonly_virtiofs_feature() {
    return read_only_share;
}

std::string render_support_page() {
    std::string page =
        "# What the renderers support\n\n"
        "Generated from the table in `src/model/vm_features.cpp`, the one that drives the findings of `ov vm validate`; a test "
        "compares the two.\n\n"
        "A key above the version of the host's libvirt is a finding with its place in the YAML, never a dropped element. "
        "\"any\" means 9.0, the oldest\n"
        "libvirt that is looked at, or older. With the QEMU backend a key without a form in the argument vector is a warning.\n\n"
        "| Feature | Key | libvirt since | Domain XML | QEMU arguments | The driver asks for |\n"
        "|---|---|---|---|---|---|\n";
    const auto add = [&](const VmFeature& row) {
        const std::string key = row.value.empty() ? fmt::format("`{}`", row.path) : fmt::format("`{}: {}`", row.path, row.value);
        page += fmt::format("| {} | {} | {} | {} | {} | {} |\n", row.area, key, row.since == Version{} ? "any" : row.since.str(),
                            row.schema, row.argv.empty() ? "warning" : row.argv, row.rule);
    };
    for (const VmFeature& row : table) add(row);
    add(read_only_share);
    add(idmap_row);
    return page;
}

}  // namespace ov
