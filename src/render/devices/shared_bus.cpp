// Shared memory between guests, the IOMMU, and the socket family between host and guest.
#include "render/devices/devices.hpp"
#include "render/words.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

void add_size(pugi::xml_node shmem, const std::string& text) {
    const auto bytes = vm::parse_size(text, vm::SizeUnit::mib);
    if (!bytes) return;
    constexpr std::uint64_t mib = 1024 * 1024;
    const bool whole = *bytes % mib == 0;
    set(add(shmem, "size", std::to_string(whole ? *bytes / mib : *bytes)), "unit", whole ? "M" : "b");
}

}  // namespace

void add_shmems(pugi::xml_node devices, const Context& context) {
    for (const vm::Shmem& spec : context.devices().shmem) {
        pugi::xml_node shmem = add(devices, "shmem");
        set(shmem, "name", spec.name);
        set(shmem, "role", spec.role);
        add_size(shmem, spec.size);
        if (const std::string type = text_of(spec.model, "type"); !type.empty()) set(add(shmem, "model"), "type", type);
        if (const std::string path = text_of(spec.server, "path"); !path.empty()) set(add(shmem, "server"), "path", path);
    }
}

void add_iommu(pugi::xml_node devices, const Context& context) {
    const auto& spec = context.devices().iommu;
    if (!spec) return;
    pugi::xml_node iommu = add(devices, "iommu");
    set(iommu, "model", spec->model);
    if (spec->driver.empty()) return;
    pugi::xml_node driver = add(iommu, "driver");
    for (const char* key : {"intremap", "caching_mode", "eim", "iotlb"}) set(driver, key, on_off_of(spec->driver, key));
    set(driver, "aw_bits", text_of(spec->driver, "aw_bits"));
}

void add_vsock(pugi::xml_node devices, const Context& context) {
    const auto& spec = context.devices().vsock;
    if (!spec) return;
    pugi::xml_node vsock = add(devices, "vsock");
    set(vsock, "model", or_else(spec->model, "virtio"));
    pugi::xml_node cid = add(vsock, "cid");
    set(cid, "auto", yes_no_of(spec->cid, "auto"));
    set(cid, "address", text_of(spec->cid, "address"));
    if (is_blank(cid)) set(cid, "auto", "yes");  // any free number
}

}  // namespace ov::render
