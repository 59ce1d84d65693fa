// What this host's hypervisor cannot take: the support table against the facts, and the programs and files a machine needs
// (`libvirt-renderer.md` W34, decisions 12, 25, 38; notes vm-rendering 3, 4).
#include <algorithm>
#include <map>
#include <set>

#include "base/near_name.hpp"
#include "model/vm_check.hpp"
#include "ov/vm_features.hpp"

namespace ov {

const VmFeature& readonly_virtiofs_feature();

namespace {

bool is_boolean_key(std::string_view path) {
    static const std::set<std::string, std::less<>> keys = [] {
        std::set<std::string, std::less<>> all;
        for (const VmField& field : vm_fields())
            if (field.kind == VmField::Kind::boolean) all.insert(field.path);
        return all;
    }();
    return keys.contains(path);
}

/// Paths of the spec that a pattern with `[]` stands for.
std::vector<std::string> authored_paths(const VmSpec& spec, std::string_view pattern) {
    const std::size_t list = pattern.find("[]");
    if (list == std::string_view::npos)
        return spec.places.node(pattern) != nullptr ? std::vector{std::string(pattern)} : std::vector<std::string>();
    std::vector<std::string> all;
    const std::string head(pattern.substr(0, list));
    for (std::size_t i = 0; spec.places.node(item_path(head, i)) != nullptr; ++i) {
        const auto more = authored_paths(spec, item_path(head, i) + std::string(pattern.substr(list + 2)));
        all.insert(all.end(), more.begin(), more.end());
    }
    return all;
}

/// Where the spec uses a feature.
std::vector<std::string> uses(const VmSpec& spec, const VmFeature& feature) {
    std::vector<std::string> all;
    for (std::string& path : authored_paths(spec, feature.path)) {
        const YamlNode& node = *spec.places.node(path);
        if (node.is_null() || (node.is_scalar() && node.text.empty())) continue;
        if ((node.is_sequence() && node.items.empty()) || (node.is_map() && node.entries.empty())) continue;
        if (!feature.value.empty() && node.text != feature.value) continue;
        if (feature.value.empty() && is_boolean_key(feature.path) && vm::parse_flag(node.text) == false) continue;
        all.push_back(std::move(path));
    }
    return all;
}

std::string libvirt_name(const HostFacts& facts) {
    return fmt::format("this host's libvirt is {}", facts.libvirt->version.str());
}

void check_versions(VmCheck& check) {
    for (const VmFeature& feature : vm_features()) {
        if (feature.since <= check.facts.libvirt->version) continue;
        for (const std::string& path : uses(check.spec, feature))
            check.error(path,
                        fmt::format("{} needs libvirt {}, {}", feature.area, feature.since.str(), libvirt_name(check.facts)));
    }
    const VmFeature& readonly = readonly_virtiofs_feature();
    const auto& shares = check.spec.libvirt.devices.filesystems;
    for (std::size_t i = 0; i < shares.size(); ++i)
        if (shares[i].readonly && shares[i].driver == "virtiofs" && readonly.since > check.facts.libvirt->version)
            check.error(item_path("libvirt.devices.filesystems", i) + ".readonly",
                        fmt::format("{} needs libvirt {}, {}; use driver: 9p", readonly.area, readonly.since.str(),
                                    libvirt_name(check.facts)));
}

/// True if `path` is one of `reported` or lies below it.
bool is_covered(std::string_view path, const std::vector<std::string>& reported) {
    return std::any_of(reported.begin(), reported.end(), [&](const std::string& outer) {
        return path.starts_with(outer) && (path.size() == outer.size() || path[outer.size()] == '.' || path[outer.size()] == '[');
    });
}

/// Keys that QEMU's argument vector has no form for; the whole block once, not every key in it.
void check_argv(VmCheck& check) {
    std::vector<std::string> reported;
    for (const VmFeature& feature : vm_features()) {
        if (!feature.argv.empty() || feature.path == "autostart" || feature.path == "libvirt.uri") continue;
        for (const std::string& path : uses(check.spec, feature)) {
            if (is_covered(path, reported)) continue;
            if (feature.path == "network.mode")
                check.warning(path, fmt::format("QEMU has no {}; the machine gets user mode", feature.value));
            else
                check.warning(path, "the QEMU backend cannot say this and leaves it out; use backend: libvirt");
            reported.push_back(path);
        }
    }
    const auto& devices = check.spec.libvirt.devices;
    for (std::size_t i = 0; i < devices.channels.size(); ++i)
        if (const std::string path = item_path("libvirt.devices.channels", i);
            devices.channels[i].name != "org.qemu.guest_agent.0" && !is_covered(path + ".type", reported))
            check.warning(path, "the QEMU backend has the guest agent's channel only");
    for (std::size_t i = 0; i < devices.disks.size(); ++i) {
        const std::string_view bus = vm::value_of(devices.disks[i].target, "bus");
        if (!bus.empty() && bus != "virtio" && bus != "sata" && bus != "ide")
            check.warning(item_path("libvirt.devices.disks", i) + ".target.bus",
                          fmt::format("the QEMU backend has no bus {} and leaves the disk out", bus));
    }
}

bool is_session(const HostFacts& facts) {
    return facts.libvirt && facts.uid != 0 && facts.libvirt->uri.ends_with("/session");
}

void check_shares(VmCheck& check) {
    const auto& shares = check.spec.libvirt.devices.filesystems;
    const Version& version = check.facts.libvirt->version;
    bool has_map = false;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const std::string path = item_path("libvirt.devices.filesystems", i);
        if (shares[i].driver != "virtiofs") continue;
        if (check.facts.virtiofsd.empty() && vm::value_of(shares[i].binary, "path").empty())
            check.error(path + ".driver", "virtiofsd is not installed on this host; install it, or use driver: 9p");
        if (is_session(check.facts) && version < Version{10, 0, 0})
            check.error(path + ".driver", fmt::format("virtiofs in a session needs libvirt 10.0, {}; use driver: 9p, or the "
                                                      "connection qemu:///system",
                                                      libvirt_name(check.facts)));
        if (!has_map && vm::takes_idmap(shares[i]) && check.facts.uid != 0 && !is_session(check.facts) &&
            version < Version{10, 0, 0}) {
            has_map = true;
            check.note(path, fmt::format("ids are not mapped: that needs libvirt 10.0, {}; the guest's root owns the files",
                                         libvirt_name(check.facts)));
        }
        if (!has_map && vm::takes_idmap(shares[i]) && check.facts.uid != 0 && version >= Version{10, 0, 0} &&
            (!check.facts.subuid || !check.facts.subgid)) {
            has_map = true;
            check.note(path, "ids are not mapped: this user has no subordinate ids; add a line to /etc/subuid and /etc/subgid");
        }
    }
}

void check_passt(VmCheck& check) {
    if (vm::passt_usable(check.facts)) return;
    const std::string reason = check.facts.libvirt->passt
                                   ? "passt is not installed on this host"
                                   : fmt::format("this host's libvirt {} refuses passt", check.facts.libvirt->version.str());
    const VmSpec& spec = check.spec;
    if (vm::network_mode(spec) == "user")
        check.note("network", fmt::format("{}: ports are forwarded by QEMU's own user network (qemu:commandline)", reason));
    const auto& nics = spec.libvirt.devices.interfaces;
    for (std::size_t i = 0; i < nics.size(); ++i)
        if (!nics[i].port_forwards.empty())
            check.error(item_path("libvirt.devices.interfaces", i) + ".port_forwards",
                        fmt::format("needs passt; {}; use network.port_forwards, or type: bridge", reason));
}

/// Values that the domain capabilities do not list.
void check_capabilities(VmCheck& check) {
    const auto listed = [&](std::string_view device, std::string_view value, const std::string& path) {
        const auto known = check.facts.libvirt->devices.find(device);
        if (value.empty() || known == check.facts.libvirt->devices.end()) return;
        const auto& values = known->second;
        if (std::find(values.begin(), values.end(), value) == values.end())
            check.error(path, fmt::format("this host's QEMU has no {} {}; it has {}", device, value, join(values, ", ")));
    };
    const vm::Devices& devices = check.spec.libvirt.devices;
    for (std::size_t i = 0; i < devices.graphics.size(); ++i)
        if (devices.graphics[i].type != "rdp")
            listed("graphics", devices.graphics[i].type, item_path("libvirt.devices.graphics", i) + ".type");
    for (std::size_t i = 0; i < devices.video.size(); ++i)
        listed("video", devices.video[i].model, item_path("libvirt.devices.video", i) + ".model");
    for (std::size_t i = 0; i < devices.tpm.size(); ++i)
        listed("tpm", devices.tpm[i].model.empty() ? "tpm-crb" : devices.tpm[i].model, item_path("libvirt.devices.tpm", i));
}

void check_libvirt(VmCheck& check) {
    check_versions(check);
    check_shares(check);
    check_passt(check);
    check_capabilities(check);
    const auto& tpms = check.spec.libvirt.devices.tpm;
    for (std::size_t i = 0; i < tpms.size(); ++i)
        if (vm::value_of(tpms[i].backend, "type") != "passthrough" && check.facts.swtpm.empty())
            check.error(item_path("libvirt.devices.tpm", i),
                        "swtpm is not installed on this host; install swtpm and swtpm-tools");
}

void check_machine_name(VmCheck& check, const std::vector<std::string>& machines) {
    if (machines.empty() || std::find(machines.begin(), machines.end(), check.machine) != machines.end()) return;
    check.error("machine", fmt::format("this host has no machine '{}'{}", check.machine,
                                       did_you_mean(check.machine, std::span<const std::string>(machines))));
}

void check_images(VmCheck& check) {
    if (check.firmware == FirmwareMode::bios || vm::pick_firmware(check.facts, check.firmware) != nullptr) return;
    const bool secure = check.firmware == FirmwareMode::uefi_secure;
    const char* package = vm::is_arm64(check.arch) ? "qemu-efi-aarch64 (Debian) or edk2-aarch64 (Fedora)"
                                                   : "ovmf (Debian, Ubuntu) or edk2-ovmf (Fedora, Arch)";
    check.error("firmware", fmt::format("this host has no {} for {}; install {}",
                                        secure ? "Secure Boot image with enrolled keys" : "UEFI image without Secure Boot",
                                        check.arch, package));
}

void check_accelerator(VmCheck& check) {
    if (check.facts.kvm) return;
    check.note("", "this host has no usable KVM: the machine is emulated, many times slower");
    if (check.spec.libvirt.cpu.mode == "host-passthrough")
        check.error("libvirt.cpu.mode", "host-passthrough needs KVM, which this host has not; remove the mode or use maximum");
}

}  // namespace

void check_host(VmCheck& check) {
    const HostFacts& facts = check.facts;
    const bool pinned = check.spec.backend == "libvirt" || check.spec.backend == "qemu";
    const bool missing = check.libvirt() ? !facts.libvirt : !facts.qemu;
    if (missing) {
        const std::string text = check.libvirt() ? "no libvirt daemon answers on this host"
                                                 : fmt::format("there is no QEMU for {} on this host", facts.arch);
        pinned ? check.error("backend", text) : check.warning("", text + "; nothing here can run the machine");
    }
    check_images(check);
    if (!missing) check_accelerator(check);
    if (check.libvirt() && facts.libvirt) {
        check_libvirt(check);
        check_machine_name(check, facts.libvirt->machines);
    }
    if (!check.libvirt()) {
        check_argv(check);
        if (facts.qemu) check_machine_name(check, facts.qemu->machines);
    }
}

}  // namespace ov
