// GPUs of the host and what stands between them and a guest: IOMMU groups, drivers, vfio, memory locking (`vm-spec.md` 14).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ov {

struct PciDevice {
    std::string address;         ///< "0000:41:00.0"
    std::string vendor, device;  ///< "0x10de"
    std::string class_code;      ///< first six characters: "0x0300"
    std::string driver;          ///< empty: unbound
    int group = -1;              ///< IOMMU group, -1: none

    bool is_gpu() const noexcept { return class_code.starts_with("0x03"); }
    bool is_bridge() const noexcept { return class_code == "0x0604"; }
};

struct Gpu {
    PciDevice device;
    std::vector<PciDevice> members;  ///< of its IOMMU group, by address, itself included
};

struct GpuReport {
    bool iommu = false;
    std::string iommu_kind;  ///< "intel", "amd" or empty
    bool vfio_pci = false;   ///< the driver is there
    std::vector<Gpu> gpus;   ///< by address
};

struct GpuRoots {
    std::string sysfs = "/sys";
    std::string command_line = "/proc/cmdline";
    std::string vfio = "/dev/vfio";
};

GpuReport inspect_gpus(const GpuRoots& roots);

/// "VGA controller", "Audio device", ... else the class itself.
std::string class_label(const std::string& class_code);

/// The block to paste below `libvirt.devices`, with comments; every function of each group but bridges, which no guest can get.
std::string hostdevs_block(const GpuReport& report);

/// `memlock`: hard limit in bytes. `needed`: RAM of a VM in bytes, 0 when none was named (16 GiB then).
std::string gpu_status(const GpuReport& report, const GpuRoots& roots, std::uint64_t memlock, std::uint64_t needed);

}  // namespace ov
