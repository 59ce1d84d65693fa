// <os>: machine type and firmware. An explicit loader and libvirt's own choice of firmware exclude each other: libvirt 9.0
// refuses a mixture. Secure Boot is always said, since a host's first descriptor may enforce it.
#include "render/parts.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

void add_feature(pugi::xml_node firmware, const char* enabled, const char* name) {
    pugi::xml_node feature = add(firmware, "feature");
    set(feature, "enabled", enabled);
    set(feature, "name", name);
}

void let_libvirt_choose(pugi::xml_node os, bool secure, const VmRuntime& runtime) {
    set(os, "firmware", "efi");
    pugi::xml_node firmware = add(os, "firmware");
    add_feature(firmware, secure ? "yes" : "no", "secure-boot");
    if (secure) add_feature(firmware, "yes", "enrolled-keys");
    add_if(os, "nvram", runtime.nvram);
}

void name_loader(pugi::xml_node os, bool secure, const VmRuntime& runtime) {
    // libvirt takes a format since 9.2; raw is what it assumes.
    const std::string format = runtime.ovmf_format == "raw" ? std::string() : runtime.ovmf_format;
    pugi::xml_node loader = add(os, "loader", runtime.ovmf_code);
    set(loader, "readonly", "yes");
    if (secure) set(loader, "secure", "yes");
    set(loader, "type", "pflash");
    set(loader, "format", format);
    if (runtime.nvram.empty()) return;
    pugi::xml_node nvram = add(os, "nvram", runtime.nvram);
    set(nvram, "template", runtime.ovmf_vars_template);
    set(nvram, "format", format);
}

}  // namespace

void add_os(pugi::xml_node domain, const Context& context) {
    pugi::xml_node os = add(domain, "os");
    pugi::xml_node type = add(os, "type", "hvm");
    set(type, "arch", context.arch);
    set(type, "machine", context.machine);
    const FirmwareMode mode = vm::firmware_of(context.spec, context.arch);
    if (mode == FirmwareMode::bios) return;
    const bool secure = mode == FirmwareMode::uefi_secure;
    if (context.runtime.ovmf_code.empty())
        let_libvirt_choose(os, secure, context.runtime);
    else
        name_loader(os, secure, context.runtime);
}

}  // namespace ov::render
