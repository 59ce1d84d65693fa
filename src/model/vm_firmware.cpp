// Which UEFI image a machine gets. The probe lists descriptors before known paths; the order of the facts is the choice.
#include "ov/vm_defaults.hpp"

namespace ov::vm {

FirmwareMode firmware_of(const VmSpec& spec, std::string_view arch) {
    if (spec.firmware == "uefi-insecure") return FirmwareMode::uefi;
    if (spec.firmware == "uefi-secure") return FirmwareMode::uefi_secure;
    if (spec.firmware == "bios") return FirmwareMode::bios;
    // Arm and RISC-V machines have no BIOS; on x86 it boots every image and needs no files of its own.
    return is_arm64(arch) || is_riscv64(arch) ? FirmwareMode::uefi : FirmwareMode::bios;
}

const FirmwareImage* pick_firmware(const HostFacts& facts, FirmwareMode mode) noexcept {
    if (mode == FirmwareMode::bios) return nullptr;
    const bool secure = mode == FirmwareMode::uefi_secure;
    for (const FirmwareImage& image : facts.firmware) {
        // A secure image without keys starts in setup mode and enforces nothing; a plain one must not enforce.
        if (secure ? image.secure && image.enrolled : !image.secure && !image.enrolled) return &image;
    }
    return nullptr;
}

}  // namespace ov::vm
