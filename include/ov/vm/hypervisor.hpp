// `libvirt:` of a VM entity, all but the devices (`vm-spec.md` 8). Texts are as authored; an empty text is an absent key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ov/devices.hpp"
#include "ov/vm/values.hpp"

namespace ov::vm {

/// `features.kvm`: on/off words but for the ring.
struct KvmFeatures {
    std::string hidden, hint_dedicated, poll_control, pv_ipi;
    Int dirty_ring_size;  ///< entries, a power of two from 1024 to 65536; 0 is none
    bool operator==(const KvmFeatures&) const = default;
};

struct HypervVendorId {
    std::string state, value;  ///< value: at most 12 characters
    bool operator==(const HypervVendorId&) const = default;
};

struct HypervSpinlocks {
    std::string state;
    Int retries;  ///< at least 4095
    bool operator==(const HypervSpinlocks&) const = default;
};

/// `features.hyperv`: on/off words.
struct HypervFeatures {
    std::string relaxed, vapic, vpindex, runtime, synic, stimer, reset, frequencies, reenlightenment, tlbflush, ipi, evmcs;
    HypervSpinlocks spinlocks;
    HypervVendorId vendor_id;
    bool operator==(const HypervFeatures&) const = default;
};

struct Features {
    Bool acpi, apic;                  ///< on when absent
    Bool pae, smm, hap, vmport, pmu;  ///< off when absent; smm follows uefi-secure
    std::string ibs;
    KvmFeatures kvm;
    HypervFeatures hyperv;
    bool operator==(const Features&) const = default;
};

struct CpuTopology {
    Int sockets, dies, cores, threads;
    bool operator==(const CpuTopology&) const = default;
    bool empty() const noexcept { return *this == CpuTopology{}; }
};

struct CpuFeature {
    std::string policy, name;  ///< an empty policy is "require"
    bool operator==(const CpuFeature&) const = default;
};

struct CpuCache {
    std::string mode;
    Int level;
    bool operator==(const CpuCache&) const = default;
};

struct NumaCell {
    Int id;              ///< absent: its index
    std::string cpus;    ///< list of vCPUs: "0-1"
    std::string memory;  ///< a number in `unit`
    std::string unit;    ///< empty: MiB
    std::string memaccess;
    bool operator==(const NumaCell&) const = default;
};

struct Cpu {
    std::string mode, model, check, migratable;
    CpuTopology topology;
    std::vector<CpuFeature> features;
    CpuCache cache;
    std::vector<NumaCell> numa;
    bool operator==(const Cpu&) const = default;
};

struct Timer {
    std::string name, present, track, tickpolicy, mode;
    Int frequency;
    bool operator==(const Timer&) const = default;
};

struct Clock {
    std::string offset, timezone, adjustment, basis;
    Int start;  ///< seconds since 1970, for the offset "absolute"
    std::vector<Timer> timers;
    bool operator==(const Clock&) const = default;
};

struct Hugepages {
    std::string size;  ///< bare: KiB; empty: the host's default
    std::string nodeset;
    bool operator==(const Hugepages&) const = default;
};

struct MemoryBacking {
    std::optional<Hugepages> hugepages;  ///< present and empty asks for pages of the default size
    Bool nosharepages, locked, discard;
    std::string source, access, allocation;
    bool operator==(const MemoryBacking&) const = default;
};

/// Sizes, bare numbers are KiB.
struct Memtune {
    std::string hard_limit, soft_limit, swap_hard_limit, min_guarantee;
    bool operator==(const Memtune&) const = default;
};

struct NumaMemory {
    std::string mode, nodeset, placement;
    bool operator==(const NumaMemory&) const = default;
};

struct NumaNode {
    Int cellid;
    std::string mode, nodeset;
    bool operator==(const NumaNode&) const = default;
};

struct Numatune {
    NumaMemory memory;
    std::vector<NumaNode> memnodes;
    bool operator==(const Numatune&) const = default;
};

struct VcpuPin {
    Int vcpu;
    std::string cpuset;
    bool operator==(const VcpuPin&) const = default;
};

struct EmulatorPin {
    std::string cpuset;
    bool operator==(const EmulatorPin&) const = default;
};

struct IothreadPin {
    Int iothread;
    std::string cpuset;
    bool operator==(const IothreadPin&) const = default;
};

/// Numbers are rendered when they are above 0.
struct Cputune {
    Int shares, period, quota, global_period, global_quota, emulator_period, emulator_quota, iothread_period, iothread_quota;
    std::vector<VcpuPin> vcpupin;
    EmulatorPin emulatorpin;
    std::vector<IothreadPin> iothreadpin;
    bool operator==(const Cputune&) const = default;
};

struct Seclabel {
    std::string type, model, relabel, label, baselabel, imagelabel;
    bool operator==(const Seclabel&) const = default;
    bool empty() const noexcept { return *this == Seclabel{}; }
};

struct LaunchSecurity {
    std::string type;    ///< empty, sev, sev-es, sev-snp, tdx
    std::string policy;  ///< a number: decimal or 0x
    Int cbitpos, reduced_phys_bits;
    std::string dh_cert, session, kernel_hashes;
    bool operator==(const LaunchSecurity&) const = default;
};

struct Resource {
    std::string partition;
    TextMap fibrechannel;  ///< appid
    bool operator==(const Resource&) const = default;
};

struct Sysinfo {
    std::string type;  ///< empty or "smbios"
    TextMap bios, system, chassis;
    std::vector<TextMap> baseboard, processor;
    std::vector<std::string> oem_strings;  ///< after the credentials
    bool operator==(const Sysinfo&) const = default;
};

/// The whole `libvirt:` block.
struct Hypervisor {
    std::string uri;  ///< empty: the default of this user (decisions 36)
    std::vector<std::string> snippets;
    std::string xml_passthrough;
    Features features;
    Cpu cpu;
    Clock clock;
    MemoryBacking memory_backing;
    Memtune memtune;
    Numatune numatune;
    Cputune cputune;
    Int iothreads;
    Devices devices;
    Seclabel seclabel;
    LaunchSecurity launch_security;
    Resource resource;
    Sysinfo sysinfo;
    bool operator==(const Hypervisor&) const = default;
};

}  // namespace ov::vm
