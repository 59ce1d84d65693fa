// `source`, sizes, machine, firmware, backend, snapshots (`vm-spec.md` 2, 3, 7, 11).
#include <algorithm>
#include <set>

#include "base/near_name.hpp"
#include "model/vm_check.hpp"

namespace ov {

namespace {

struct SourceKey {
    std::string_view key;
    bool set;
    std::initializer_list<std::string_view> kinds;  ///< empty: every kind
};

bool is_hex_digest(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

void check_keys_of_kind(VmCheck& check) {
    const vm::Source& s = check.spec.source;
    const SourceKey keys[] = {
        {"url", !s.url.empty(), {"cloud_image"}},
        {"checksum", s.checksum != vm::Checksum{}, {"cloud_image"}},
        {"cache", !s.cache.empty(), {"cloud_image"}},
        {"image", !s.image.empty(), {"bootc"}},
        {"transport", !s.transport.empty(), {"bootc"}},
        {"rootfs", !s.rootfs.empty(), {"bootc", "bootstrap"}},
        {"root_size", !s.root_size.empty(), {"bootc"}},
        {"kernel_args", !s.kernel_args.empty(), {"bootc", "bootstrap"}},
        {"from_vm", !s.from_vm.empty(), {"clone"}},
        {"from_snapshot", !s.from_snapshot.empty(), {"clone"}},
        {"cloud_init_clean", s.cloud_init_clean.has_value(), {"clone"}},
        {"libvirt_name", !s.libvirt_name.empty(), {"imported"}},
        {"disk_path", !s.disk_path.empty(), {"imported"}},
        {"disk_format", !s.disk_format.empty(), {"imported"}},
        {"adopted_at", !s.adopted_at.empty(), {"imported"}},
        {"last_synced_at", !s.last_synced_at.empty(), {"imported"}},
        {"builder", !s.builder.empty(), {"bootstrap"}},
        {"builder_image", !s.builder_image.empty(), {"bootstrap"}},
        {"package", !s.package.empty(), {"bootstrap"}},
        {"bootstrap_arch", !s.bootstrap_arch.empty(), {"bootstrap"}},
        {"bootstrap_variant", !s.bootstrap_variant.empty(), {"bootstrap"}},
    };
    for (const SourceKey& key : keys)
        if (key.set && std::find(key.kinds.begin(), key.kinds.end(), s.kind) == key.kinds.end())
            check.error(fmt::format("source.{}", key.key),
                        fmt::format("the kind {} has no such key; it is for {}", s.kind, fmt::join(key.kinds, ", ")));
}

void check_required(VmCheck& check) {
    const vm::Source& s = check.spec.source;
    const auto need = [&](std::string_view kind, std::string_view key, std::string_view value, std::string_view what) {
        if (s.kind == kind && value.empty()) check.error("source", fmt::format("the key source.{} is missing: {}", key, what));
    };
    need("cloud_image", "url", s.url, "where the published qcow2 is");
    need("bootc", "image", s.image, "an image entry or a full image reference");
    need("clone", "from_vm", s.from_vm, "the parent entity");
    need("clone", "from_snapshot", s.from_snapshot, "the parent's snapshot");
    need("imported", "libvirt_name", s.libvirt_name, "the name of the existing domain");
    need("imported", "disk_path", s.disk_path, "the disk of that domain");
    need("imported", "disk_format", s.disk_format, "qcow2 or raw");
    need("bootstrap", "builder", s.builder, "a bootstrap builder such as debootstrap or pacstrap");
    need("bootstrap", "distro", s.distro, "the distribution to install");
}

void check_firmware(VmCheck& check) {
    const VmSpec& spec = check.spec;
    check.one_of("firmware", spec.firmware, {"bios", "uefi-insecure", "uefi-secure"});
    const bool x86 = vm::is_x86(check.arch);
    if (spec.firmware == "bios" && !x86)
        check.error("firmware", fmt::format("{} machines have no BIOS; use uefi-insecure", check.arch));
    if (check.firmware != FirmwareMode::uefi_secure || !x86) return;
    if (!vm::is_q35(check.machine))
        check.error("firmware", fmt::format("uefi-secure does not work with machine: {}; use q35",
                                            spec.machine.empty() ? check.machine : spec.machine));
    if (spec.libvirt.features.smm == false)
        check.error(
            "libvirt.features.smm",
            "uefi-secure keeps its variables behind SMM: remove libvirt.features.smm: false, it is switched on by itself");
}

void check_snapshot(VmCheck& check, const vm::Snapshot& snapshot, const std::string& path, std::set<std::string>& names) {
    if (snapshot.name.empty()) {
        check.error(path, fmt::format("{} (one of the entity's snapshots) has no name", path));
    } else {
        const auto is_name = [](std::string_view name) {
            const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
            return name.size() <= 64 && alnum(name.front()) &&
                   std::all_of(name.begin(), name.end(), [&](char c) { return alnum(c) || c == '.' || c == '_' || c == '-'; });
        };
        if (!is_name(snapshot.name))
            check.error(path + ".name", fmt::format("'{}' is no snapshot name: 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a "
                                                    "letter or digit",
                                                    snapshot.name));
        if (!names.insert(snapshot.name).second)
            check.error(path + ".name", fmt::format("there is already a snapshot '{}'", snapshot.name));
    }
    check.one_of(path + ".mode", snapshot.mode, {"external", "internal"});
    if (!snapshot.from.empty())
        check.warning(path + ".from", "has no effect yet: a snapshot's parent is the one that is current when it is made");
}

}  // namespace

void check_source(VmCheck& check) {
    const vm::Source& s = check.spec.source;
    if (s.kind.empty())
        check.error("source", "the key kind is missing: one of cloud_image|bootc|bootstrap|clone|imported|external");
    else if (check.one_of("source.kind", s.kind, {"cloud_image", "bootc", "bootstrap", "clone", "imported", "external"}))
        check_keys_of_kind(check);
    check_required(check);
    if (!s.url.empty() && !s.url.starts_with("https://") && !s.url.starts_with("http://") && !s.url.starts_with("file://"))
        check.error("source.url", fmt::format("expected http://, https:// or file://, got '{}'", s.url));
    check.one_of("source.checksum.type", s.checksum.type, {"sha256"});
    if (!s.checksum.value.empty() && !is_hex_digest(s.checksum.value))
        check.error("source.checksum.value", fmt::format("expected 64 hex digits, got '{}'", s.checksum.value));
    check.one_of("source.transport", s.transport, {"registry", "containers-storage", "oci", "oci-archive"});
    check.one_of("source.rootfs", s.rootfs, {"ext4", "xfs", "btrfs"});
    check.size("source.root_size", s.root_size, vm::SizeUnit::byte);
    check.absolute_path("source.disk_path", s.disk_path);
    check.one_of("source.disk_format", s.disk_format, {"qcow2", "raw"});
    if (!s.from_vm.empty() && s.from_vm == check.spec.name)
        check.error("source.from_vm", fmt::format("'{}' cannot be a clone of itself", s.from_vm));
    if (s.kind == "bootstrap" && s.builder_image.empty() && (s.builder == "pacstrap" || s.builder == "debootstrap"))
        check.warning("source",
                      fmt::format("the builder {} runs privileged in a helper image: source.builder_image names it", s.builder));
}

void check_machine(VmCheck& check) {
    const VmSpec& spec = check.spec;
    check.size("disk_size", spec.disk_size, vm::SizeUnit::byte);
    const auto ram = check.size("ram", spec.ram, vm::SizeUnit::mib);
    if (ram && *ram % (1024 * 1024) != 0)
        check.error("ram", fmt::format("guest memory counts in whole MiB, '{}' is not", spec.ram));
    if (spec.cpu && *spec.cpu > 4096) check.error("cpu", fmt::format("expected at most 4096 CPUs, got {}", *spec.cpu));
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (spec.machine.find_first_not_of(allowed) != std::string::npos)
        check.error("machine", fmt::format("'{}' is no machine name: A-Z a-z 0-9 . _ -", spec.machine));
    check_firmware(check);
    check.one_of("backend", spec.backend, {"auto", "libvirt", "qemu"});
    if (spec.autostart.value_or(false) && check.backend == Backend::qemu)
        check.error("autostart", "the backend qemu cannot start machines with the host; use backend: libvirt");
}

void check_snapshots(VmCheck& check) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < check.spec.snapshot.size(); ++i)
        check_snapshot(check, check.spec.snapshot[i], item_path("snapshot", i), names);
}

}  // namespace ov
