// What an absent key means, each with its reason. Networks, firmware and id maps have files of their own beside this one.
#include "ov/vm_defaults.hpp"

#include <algorithm>

#include "model/vm_identity.hpp"
#include "ov/vm_runtime.hpp"

namespace ov::vm {

bool is_arm64(std::string_view arch) noexcept {
    return arch == "aarch64" || arch == "arm64";
}
bool is_riscv64(std::string_view arch) noexcept {
    return arch == "riscv64";
}
bool is_x86(std::string_view arch) noexcept {
    return arch.empty() || arch == "x86_64" || arch == "amd64" || arch == "i686";
}

long long ram_mib(const VmSpec& spec) {
    // 4 GiB: what a desktop image needs to boot without swapping.
    constexpr long long fallback = 4096;
    const auto bytes = parse_size(spec.ram, SizeUnit::mib);
    if (!bytes) return fallback;
    return std::max(1LL, static_cast<long long>(*bytes >> 20U));
}

long long cpu_count(const VmSpec& spec) {
    // Two: one for the work, one for the package manager's child beside it.
    return spec.cpu && *spec.cpu > 0 ? *spec.cpu : 2;
}

std::string machine_of(const VmSpec& spec, std::string_view arch) {
    if (spec.machine == "i440fx") return "pc";  // the name people use; neither libvirt nor QEMU knows it
    if (!spec.machine.empty()) return spec.machine;
    // q35: PCI Express, SMM and thereby Secure Boot. Unversioned: the host expands it to what it has.
    return is_arm64(arch) || is_riscv64(arch) ? "virt" : "q35";
}

bool is_q35(std::string_view machine) noexcept {
    return machine == "q35" || machine == "pc-q35" || machine.starts_with("pc-q35-");
}

Backend backend_of(const VmSpec& spec, const HostFacts& facts) noexcept {
    if (spec.backend == "qemu") return Backend::qemu;
    if (spec.backend == "libvirt" || facts.libvirt) return Backend::libvirt;
    // libvirt first: it survives the operator's session and starts machines with the host.
    return facts.qemu ? Backend::qemu : Backend::libvirt;
}

Accelerator accelerator_of(const HostFacts& facts, const VmRuntime& runtime) noexcept {
    if (runtime.accelerator == "kvm") return Accelerator::kvm;
    if (runtime.accelerator == "tcg") return Accelerator::tcg;
    const bool native = runtime.arch.empty() || runtime.arch == facts.arch || (is_x86(runtime.arch) && is_x86(facts.arch)) ||
                        (is_arm64(runtime.arch) && is_arm64(facts.arch));
    return facts.kvm && native ? Accelerator::kvm : Accelerator::tcg;
}

std::string cpu_mode_of(const VmSpec& spec, Accelerator accelerator) {
    if (!spec.libvirt.cpu.mode.empty()) return spec.libvirt.cpu.mode;
    // Machines here do not migrate, so they may see the whole CPU; without KVM there is no host CPU to pass through.
    return accelerator == Accelerator::kvm ? "host-passthrough" : "maximum";
}

std::string_view nested_feature(const VmSpec& spec, std::string_view cpu_vendor, Accelerator accelerator) noexcept {
    if (accelerator != Accelerator::kvm) return {};
    if (!spec.libvirt.cpu.mode.empty() && spec.libvirt.cpu.mode != "host-passthrough") return {};
    const std::string_view feature = cpu_vendor == "GenuineIntel" ? "vmx" : cpu_vendor == "AuthenticAMD" ? "svm" : "";
    for (const CpuFeature& authored : spec.libvirt.cpu.features)
        if (authored.name == feature) return {};
    return feature;
}

std::string login_user(const VmSpec& spec) {
    if (!spec.ssh.user.empty()) return spec.ssh.user;
    if (!spec.source.base_user.empty()) return spec.source.base_user;
    return spec.source.kind == "bootc" ? "root" : "";  // bootc images have no other account
}

long long ssh_port(const VmSpec& spec) {
    if (spec.ssh.port_auto.value_or(false)) return 0;
    return spec.ssh.port.value_or(0) == 0 ? 2222 : *spec.ssh.port;
}

std::string key_source(const VmSpec& spec) {
    return spec.ssh.key_source.empty() ? "auto" : spec.ssh.key_source;
}

bool smbios_channel(const VmSpec& spec) noexcept {
    return spec.ssh.key_injection.smbios != "disabled";
}

bool cloud_init_channel(const VmSpec& spec) noexcept {
    const std::string& channel = spec.ssh.key_injection.cloud_init;
    if (channel == "enabled" || channel == "disabled") return channel == "enabled";
    return spec.source.kind != "bootc";  // those images seldom have cloud-init
}

std::string domain_name(const VmSpec& spec, std::string_view instance) {
    if (spec.source.kind == "imported" && !spec.source.libvirt_name.empty()) return spec.source.libvirt_name;
    return VmIdentity{spec.name, std::string(instance)}.domain();
}

bool wants_shared_memory(const VmSpec& spec) noexcept {
    const auto& shares = spec.libvirt.devices.filesystems;
    return std::any_of(shares.begin(), shares.end(), [](const Filesystem& share) { return share.driver == "virtiofs"; });
}

bool wants_smm(const VmSpec& spec, std::string_view arch) {
    if (spec.libvirt.features.smm) return *spec.libvirt.features.smm;
    return is_x86(arch) && firmware_of(spec, arch) == FirmwareMode::uefi_secure;
}

bool has_device_boot_order(const VmSpec& spec) noexcept {
    const auto ordered = [](const auto& device) { return device.boot.value_or(0) > 0; };
    const Devices& devices = spec.libvirt.devices;
    return std::any_of(devices.disks.begin(), devices.disks.end(), ordered) ||
           std::any_of(devices.interfaces.begin(), devices.interfaces.end(), ordered);
}

}  // namespace ov::vm
