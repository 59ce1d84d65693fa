// What validation and the renderers assume about the hypervisor's host. A value: probed by `ov host facts`, recorded in
// tests, never read inside a renderer.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ov/diagnostic.hpp"

namespace ov {

/// "9.0.0"; missing parts are 0, text behind the numbers ("8.2.2 (Debian ...)") is ignored.
struct Version {
    int major_number = 0, minor_number = 0, patch_number = 0;
    auto operator<=>(const Version&) const = default;
    /// "9.0", with the patch number only when it is not 0.
    std::string str() const;
};
std::optional<Version> parse_version(std::string_view text) noexcept;

/// One line of /etc/subuid or /etc/subgid.
struct SubIdRange {
    long long start = 0, count = 0;
    bool operator==(const SubIdRange&) const = default;
};

/// One UEFI image of the host: descriptors first, then the table of known paths.
struct FirmwareImage {
    std::string code, vars;
    std::string format = "raw";  ///< raw or qcow2
    bool secure = false;         ///< enforces Secure Boot (needs SMM on x86)
    bool enrolled = false;       ///< the template of variables holds keys
    bool operator==(const FirmwareImage&) const = default;
};

struct LibvirtFacts {
    Version version;
    std::string uri;
    bool passt = false;                     ///< the daemon takes <backend type='passt'/>; Debian 12's 9.0 does not
    std::vector<std::string> domain_types;  ///< "kvm", "qemu"
    std::vector<std::string> machines;      ///< of `arch`; empty: unknown, not checked
    /// What the domain capabilities list, by device: "graphics" -> vnc, spice; "video", "tpm", "filesystem". A device without
    /// an entry is not checked.
    std::map<std::string, std::vector<std::string>, std::less<>> devices;
    bool operator==(const LibvirtFacts&) const = default;
};

struct QemuFacts {
    Version version;
    std::vector<std::string> machines;  ///< empty: unknown, not checked
    bool operator==(const QemuFacts&) const = default;
};

struct HostFacts {
    std::string arch = "x86_64";          ///< as uname -m prints it
    std::string cpu_vendor;               ///< GenuineIntel, AuthenticAMD, other or empty
    bool kvm = false;                     ///< /dev/kvm opens and the CPU has vmx or svm
    std::optional<LibvirtFacts> libvirt;  ///< unset: no daemon answers
    std::optional<QemuFacts> qemu;        ///< unset: no QEMU for `arch`
    std::vector<FirmwareImage> firmware;
    long long uid = 0, gid = 0;
    std::optional<SubIdRange> subuid, subgid;
    std::string virtiofsd, swtpm, passt;  ///< paths; empty: not installed
    bool operator==(const HostFacts&) const = default;
};

/// Facts in YAML, keys as in decisions 43, and back. Reading appends findings and gives what could be read.
std::string to_yaml(const HostFacts& facts);
HostFacts parse_host_facts(std::string_view text, const std::string& file, std::vector<Diagnostic>& findings);

}  // namespace ov
