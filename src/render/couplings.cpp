#include "render/couplings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "render/element_order.hpp"
#include "render/qemu/netdev.hpp"
#include "render/xml.hpp"

namespace ov::render {

namespace {

bool is_virtiofs(pugi::xml_node filesystem) {
    return std::string_view(filesystem.child("driver").attribute("type").value()) == "virtiofs";
}

pugi::xml_node ensure(pugi::xml_node parent, Level level, const char* name) {
    const pugi::xml_node present = parent.child(name);
    return present ? present : insert_in_order(parent, level, name);
}

/// virtiofs talks to its daemon through the guest's memory: both must see it. What the author set stays.
void share_memory(pugi::xml_node domain) {
    const auto shares = domain.child("devices").children("filesystem");
    if (std::none_of(shares.begin(), shares.end(), is_virtiofs)) return;
    pugi::xml_node backing = ensure(domain, Level::domain, "memoryBacking");
    // Order in it: hugepages, nosharepages, locked, source, access, allocation, discard.
    const auto insert = [&](const char* name, std::initializer_list<const char*> before) {
        pugi::xml_node last;
        for (const char* earlier : before)
            if (const pugi::xml_node child = backing.child(earlier)) last = child;
        return last ? backing.insert_child_after(name, last) : backing.prepend_child(name);
    };
    if (!backing.child("source")) set(insert("source", {"hugepages", "nosharepages", "locked"}), "type", "memfd");
    if (!backing.child("access")) set(insert("access", {"source"}), "mode", "shared");
}

void add_rows(pugi::xml_node idmap, const char* name, const std::vector<vm::IdMapRow>& rows) {
    for (const vm::IdMapRow& row : rows) {
        pugi::xml_node node = add(idmap, name);
        set_number(node, "start", row.start);
        set_number(node, "target", row.target);
        set_number(node, "count", row.count);
    }
}

/// Without a map of its own a rootless share gives the operator's files to the guest's root, so the guest's user could not
/// read them.
void map_ids(pugi::xml_node domain, const Context& context) {
    const vm::IdMap map = vm::virtiofs_idmap(context.facts, context.runtime);
    if (map.empty()) return;
    for (const pugi::xml_node filesystem : domain.child("devices").children("filesystem")) {
        const std::string_view access = filesystem.attribute("accessmode").value();
        if (!is_virtiofs(filesystem) || filesystem.child("idmap") || (!access.empty() && access != "passthrough")) continue;
        pugi::xml_node share = filesystem;
        const pugi::xml_node before = share.child("binary") ? share.child("binary") : share.child("driver");
        pugi::xml_node idmap = share.insert_child_after("idmap", before);
        add_rows(idmap, "uid", map.uid);
        add_rows(idmap, "gid", map.gid);
    }
}

/// A secure loader writes its variables from system management mode only.
void force_smm(pugi::xml_node domain, const Context& context) {
    if (!vm::wants_smm(context.spec, context.arch)) return;
    pugi::xml_node features = ensure(domain, Level::domain, "features");
    if (features.child("smm")) return;
    const pugi::xml_node ibs = features.child("ibs");
    pugi::xml_node smm = ibs ? features.insert_child_before("smm", ibs) : features.append_child("smm");
    set(smm, "state", "on");
}

/// Without the mode the strings are taken and the guest never sees them.
void show_smbios(pugi::xml_node domain) {
    pugi::xml_node os = domain.child("os");
    if (domain.child("sysinfo") && os && !os.child("smbios")) set(add(os, "smbios"), "mode", "sysinfo");
}

/// Lowest positive number that no device has.
long long free_order(const std::set<long long>& taken) {
    long long order = 1;
    while (taken.contains(order)) ++order;
    return order;
}

/// `os/boot` and boot orders of devices exclude each other. With an authored order the root disk gets the lowest free one.
void order_boot(pugi::xml_node domain) {
    std::set<long long> taken;
    for (const pugi::xml_node device : domain.child("devices").children())
        if (const pugi::xml_node boot = device.child("boot")) taken.insert(boot.attribute("order").as_llong());
    pugi::xml_node os = domain.child("os");
    if (taken.empty()) {
        if (os.child("boot")) return;
        pugi::xml_node last = os.last_child();
        if (std::string_view(last.name()) == "smbios") last = last.previous_sibling();
        set(last ? os.insert_child_after("boot", last) : os.prepend_child("boot"), "dev", "hd");
        return;
    }
    while (os.remove_child("boot")) {
    }
    for (pugi::xml_node disk : domain.child("devices").children("disk")) {
        if (std::string_view(disk.child("target").attribute("dev").value()) != "vda" || disk.child("boot")) continue;
        set(add(disk, "boot"), "order", free_order(taken));
        return;
    }
}

/// A display without an adapter would get a legacy VGA card from libvirt.
void add_adapter(pugi::xml_node devices) {
    if (!devices.child("graphics") || devices.child("video")) return;
    pugi::xml_node model = add(insert_in_order(devices, Level::device, "video"), "model");
    set(model, "type", "virtio");
    set(model, "heads", "1");
}

bool is_usb(pugi::xml_node device) {
    const std::string_view name = device.name();
    const auto attribute = [&](const char* key) { return std::string_view(device.attribute(key).value()); };
    return (name == "input" && attribute("bus") == "usb") || (name == "redirdev" && attribute("bus") == "usb") ||
           (name == "hostdev" && attribute("type") == "usb") || (name == "hub" && attribute("type") == "usb") ||
           (name == "sound" && attribute("model") == "usb") || name == "smartcard" ||
           (name == "disk" && std::string_view(device.child("target").attribute("bus").value()) == "usb");
}

/// USB devices need a controller of a kind that takes them all.
void add_usb_controller(pugi::xml_node devices) {
    const auto all = devices.children();
    if (std::none_of(all.begin(), all.end(), is_usb)) return;
    for (const pugi::xml_node controller : devices.children("controller"))
        if (std::string_view(controller.attribute("type").value()) == "usb") return;
    pugi::xml_node controller = insert_in_order(devices, Level::device, "controller");
    set(controller, "type", "usb");
    set(controller, "model", "qemu-xhci");
}

void add_argument(pugi::xml_node commandline, const char* value) {
    pugi::xml_node argument = commandline.append_child("qemu:arg");
    argument.append_attribute("value") = value;
}

/// libvirt does not know of this card when it hands out slots, so it sits where libvirt puts nothing of its own.
constexpr const char* nic_slot = "0x1c";

void forward_by_commandline(pugi::xml_node domain, const Context& context) {
    const qemu::UserNic nic = qemu::user_nic(context);
    const std::string bus = context.machine == "pc" || context.machine.starts_with("pc-i440fx") ? "pci.0" : "pcie.0";
    pugi::xml_node commandline = ensure(domain, Level::domain, "qemu:commandline");
    add_argument(commandline, "-netdev");
    add_argument(commandline, nic.netdev.c_str());
    add_argument(commandline, "-device");
    add_argument(commandline, fmt::format("{},bus={},addr={}", nic.device, bus, nic_slot).c_str());
}

void declare_qemu(pugi::xml_node domain) {
    for (const pugi::xml_node child : domain.children()) {
        if (!std::string_view(child.name()).starts_with("qemu:")) continue;
        domain.append_attribute("xmlns:qemu") = "http://libvirt.org/schemas/domain/qemu/1.0";
        return;
    }
}

}  // namespace

bool forwards_by_commandline(const Context& context) {
    return !context.has_passt() && vm::network_mode(context.spec) == "user" &&
           !vm::forwards_of(context.spec, context.runtime).empty();
}

void apply_couplings(pugi::xml_node domain, const Context& context) {
    share_memory(domain);
    map_ids(domain, context);
    force_smm(domain, context);
    show_smbios(domain);
    order_boot(domain);
    add_adapter(domain.child("devices"));
    add_usb_controller(domain.child("devices"));
    if (forwards_by_commandline(context)) forward_by_commandline(domain, context);
    declare_qemu(domain);
}

}  // namespace ov::render
