// Effective values of a VM entity: what an absent key means. Each default stands in src/model/vm_defaults.cpp with its reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/host_facts.hpp"
#include "ov/vm_spec.hpp"

namespace ov {

struct VmRuntime;

enum class FirmwareMode { bios, uefi, uefi_secure };
enum class Accelerator { kvm, tcg };
enum class Backend { libvirt, qemu };

/// A forward of the default interface, parsed (`vm-spec.md` W6).
struct PortForward {
    std::string address;  ///< empty: all addresses of the host
    int host = 0, guest = 0;
    bool udp = false;
    bool operator==(const PortForward&) const = default;
};
/// `[address:]host:guest[/tcp|udp]`, an IPv6 address in brackets; the whole text, ports from 1 to 65535.
std::optional<PortForward> parse_port_forward(std::string_view text);

namespace vm {

bool is_arm64(std::string_view arch) noexcept;
bool is_riscv64(std::string_view arch) noexcept;
bool is_x86(std::string_view arch) noexcept;

long long ram_mib(const VmSpec& spec);  ///< a size that is no size counts as absent
long long cpu_count(const VmSpec& spec);
/// `machine`, i440fx written as pc; the default of the architecture.
std::string machine_of(const VmSpec& spec, std::string_view arch);
/// q35 and versioned pc-q35-N, the one machine with SMM; `pc` and pc-i440fx-N are not.
bool is_q35(std::string_view machine) noexcept;
FirmwareMode firmware_of(const VmSpec& spec, std::string_view arch);
/// The first image of the host that fits, or nullptr: secure needs enrolled keys, insecure must not enforce Secure Boot.
const FirmwareImage* pick_firmware(const HostFacts& facts, FirmwareMode mode) noexcept;

/// Backend of the entity; `auto` and unset take libvirt where a daemon answers.
Backend backend_of(const VmSpec& spec, const HostFacts& facts) noexcept;
Accelerator accelerator_of(const HostFacts& facts, const VmRuntime& runtime) noexcept;
/// Whether <backend type='passt'/> works: the daemon takes it and the program is installed. Where it does not, forwards of the
/// default interface take the way of `qemu:commandline` (notes: vm-rendering 1.5).
bool passt_usable(const HostFacts& facts) noexcept;
/// `libvirt.cpu.mode`, else host-passthrough with KVM and maximum without (decisions 38).
std::string cpu_mode_of(const VmSpec& spec, Accelerator accelerator);
/// "vmx" or "svm" when nested virtualisation is to be added (`libvirt-renderer.md` 4.4), else empty.
std::string_view nested_feature(const VmSpec& spec, std::string_view cpu_vendor, Accelerator accelerator) noexcept;

/// `user`, `bridge` or `network`; nat is network.
std::string_view network_mode(const VmSpec& spec) noexcept;
std::string network_name(const VmSpec& spec);        ///< libvirt network of the mode network
std::string nic_model_xml(std::string_view model);   ///< virtio for virtio-net-pci and for none
std::string nic_model_argv(std::string_view model);  ///< virtio-net-pci for virtio and for none
/// `network.mac`, else 52:54:00 and three bytes of SHA-256 of the domain name.
std::string mac_of(const VmSpec& spec, std::string_view domain);
/// Forwards of the default interface in order: SSH (127.0.0.1), `port_forwards`, runtime. None outside user mode; entries that
/// do not parse are left out (`validate` names them).
std::vector<PortForward> forwards_of(const VmSpec& spec, const VmRuntime& runtime);

std::string login_user(const VmSpec& spec);  ///< empty: no known account
long long ssh_port(const VmSpec& spec);      ///< 2222 when unset; 0 when the port is allocated (`port_auto`)
std::string key_source(const VmSpec& spec);
bool smbios_channel(const VmSpec& spec) noexcept;
bool cloud_init_channel(const VmSpec& spec) noexcept;

/// "ov-web", "ov-web-1", or `source.libvirt_name` of an imported VM.
std::string domain_name(const VmSpec& spec, std::string_view instance);

/// True if any share is virtiofs: memory must be shared then.
bool wants_shared_memory(const VmSpec& spec) noexcept;
/// SMM: authored, or forced by uefi-secure.
bool wants_smm(const VmSpec& spec, std::string_view arch);
bool has_device_boot_order(const VmSpec& spec) noexcept;

/// One row of an id map: guest ids from `start` are host ids from `target`.
struct IdMapRow {
    long long start = 0, target = 0, count = 0;
    bool operator==(const IdMapRow&) const = default;
};
struct IdMap {
    std::vector<IdMapRow> uid, gid;
    bool empty() const noexcept { return uid.empty(); }
    bool operator==(const IdMap&) const = default;
};
/// The map of `libvirt-renderer.md` 6.3; empty when a range is unknown or too small, for root's own session, or when this
/// libvirt has no id map (before 10.0; decisions 25).
IdMap virtiofs_idmap(const HostFacts& facts, const VmRuntime& runtime);
/// Whether that share gets it: virtiofs with passthrough access.
bool takes_idmap(const Filesystem& share) noexcept;

}  // namespace vm
}  // namespace ov
