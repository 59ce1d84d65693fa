// UEFI images of the host: firmware descriptors first, the table of distributions' paths second (`vm-spec.md` 11.1, W15).
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "backend/host_files.hpp"

namespace ov {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct KnownPair {
    std::string_view family;  ///< first distribution of the group
    std::string_view arch, code, vars;
    bool secure = false, enrolled = false;
};

// Arch's images with Secure Boot have no keys in their template: they start in setup mode.
constexpr KnownPair known_pairs[] = {
    {"fedora", "x86_64", "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {"fedora", "x86_64", "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
    {"fedora", "x86_64", "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.secboot.fd", true, true},
    {"fedora", "x86_64", "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd", true, true},
    {"arch", "x86_64", "/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},
    {"arch", "x86_64", "/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"},
    {"arch", "x86_64", "/usr/share/edk2/x64/OVMF_CODE.secboot.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd", true, false},
    {"arch", "x86_64", "/usr/share/edk2-ovmf/x64/OVMF_CODE.secboot.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd", true, false},
    {"debian", "x86_64", "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
    {"debian", "x86_64", "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {"debian", "x86_64", "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", true, true},
    {"debian", "x86_64", "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.secboot.fd", true, true},
    {"fedora", "aarch64", "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw", "/usr/share/edk2/aarch64/vars-template-pflash.raw"},
    {"arch", "aarch64", "/usr/share/edk2/aarch64/QEMU_EFI.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"},
    {"debian", "aarch64", "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"},
};

constexpr std::pair<std::string_view, std::string_view> families[] = {
    {"fedora", "fedora"},    {"centos", "fedora"},    {"rhel", "fedora"},   {"rocky", "fedora"},
    {"alma", "fedora"},      {"almalinux", "fedora"}, {"arch", "arch"},     {"manjaro", "arch"},
    {"endeavouros", "arch"}, {"debian", "debian"},    {"ubuntu", "debian"},
};

std::string_view family_of(const std::vector<std::string>& ids) {
    for (const std::string& id : ids)
        for (const auto& [distro, family] : families)
            if (id == distro) return family;
    return {};
}

bool lists(const json& values, std::string_view wanted) {
    return values.is_array() &&
           std::any_of(values.begin(), values.end(), [&](const json& v) { return v.is_string() && v == wanted; });
}

bool fits(const json& descriptor, std::string_view arch) {
    if (!lists(descriptor.value("interface-types", json()), "uefi")) return false;
    const json targets = descriptor.value("targets", json::array());
    return targets.is_array() && std::any_of(targets.begin(), targets.end(), [&](const json& target) {
               return target.is_object() && target.value("architecture", "") == arch;
           });
}

/// The image of one descriptor; nothing when it is not a pair of flash files that exist.
std::optional<FirmwareImage> image_of(const json& descriptor, const std::string& root) {
    const json mapping = descriptor.value("mapping", json::object());
    if (mapping.value("device", "") != "flash" || mapping.value("mode", "split") != "split") return std::nullopt;
    const json executable = mapping.value("executable", json::object());
    const json variables = mapping.value("nvram-template", json::object());
    FirmwareImage image;
    image.code = executable.value("filename", "");
    image.format = executable.value("format", "raw");
    image.vars = variables.value("filename", "");
    const json features = descriptor.value("features", json::array());
    image.secure = lists(features, "secure-boot");
    image.enrolled = lists(features, "enrolled-keys");
    // Confidential machines take their firmware elsewhere.
    if (image.code.empty() || image.vars.empty() || lists(features, "amd-sev-snp") || lists(features, "intel-tdx"))
        return std::nullopt;
    std::error_code ignored;
    if (!fs::is_regular_file(root + image.code, ignored) || !fs::is_regular_file(root + image.vars, ignored)) return std::nullopt;
    return image;
}

/// Descriptor files by name; a later directory hides names of an earlier one, an empty file hides and says nothing.
std::map<std::string, std::string> descriptor_files(const std::string& root) {
    std::map<std::string, std::string> files;
    for (const std::string directory : {"/usr/share/qemu/firmware", "/etc/qemu/firmware"}) {
        std::error_code missing;
        for (const fs::directory_entry& entry : fs::directory_iterator(root + directory, missing))
            if (entry.path().extension() == ".json")
                files[entry.path().filename().string()] = directory + "/" + entry.path().filename().string();
    }
    return files;
}

}  // namespace

std::vector<FirmwareImage> firmware_images(const std::string& root, std::string_view arch) {
    std::vector<FirmwareImage> images;
    for (const auto& [name, path] : descriptor_files(root)) {
        const json descriptor = json::parse(host_file(root, path), nullptr, false);
        if (!descriptor.is_object() || !fits(descriptor, arch)) continue;
        try {
            if (auto image = image_of(descriptor, root)) images.push_back(std::move(*image));
        } catch (const json::exception&) {
            continue;  // a descriptor with other types than the format has; the next one may be good
        }
    }
    const std::string_view family = family_of(distro_ids_of(host_file(root, "/etc/os-release")));
    for (const KnownPair& pair : known_pairs) {
        if (pair.arch != arch || (!family.empty() && pair.family != family)) continue;
        const bool known =
            std::any_of(images.begin(), images.end(), [&](const FirmwareImage& image) { return image.code == pair.code; });
        if (known || first_existing(root, {std::string(pair.code)}).empty() ||
            first_existing(root, {std::string(pair.vars)}).empty())
            continue;
        images.push_back({std::string(pair.code), std::string(pair.vars), "raw", pair.secure, pair.enrolled});
    }
    return images;
}

}  // namespace ov
