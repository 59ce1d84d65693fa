// `libvirt.devices.channels`, `serial`, `console`, `parallel` (`vm-spec.md` 9, `libvirt-renderer.md` 5.4, 5.5, W11, W12, W23).
#include <map>
#include <set>

#include "model/vm_check.hpp"

namespace ov {

namespace {

constexpr std::string_view agent = "org.qemu.guest_agent.0";

void check_channel(VmCheck& check, const vm::Channel& channel, const std::string& path,
                   std::map<std::string, std::string>& names) {
    check.one_of(path + ".type", channel.type, {"virtio", "spicevmc", "unix", "pty"});
    const bool spice = channel.type == "spicevmc";
    if (spice && !check.has_graphics("spice"))
        check.error(path, "a spicevmc channel needs a display: add {type: spice} to libvirt.devices.graphics");
    std::string name = channel.name;
    if (name.empty() && spice) name = "com.redhat.spice.0";
    if (check.need(path, "name", name, fmt::format("the port's name in the guest, like {}", agent))) {
        const auto [holder, is_new] = names.emplace(name, path);
        if (!is_new) check.error(path + ".name", fmt::format("the channel '{}' is already {}", name, holder->second));
    }
    for (const auto& [key, value] : {std::pair{"source", &channel.source}, std::pair{"path", &channel.path}}) {
        if (value->empty()) continue;
        if (spice || channel.type == "pty")
            check.error(fmt::format("{}.{}", path, key), fmt::format("a channel of type {} has no socket", channel.type));
        else
            check.socket_path(path, *value, key);
    }
}

void check_character_source(VmCheck& check, const vm::CharacterDevice& device, const std::string& path, const std::string& type) {
    const std::string source = path + ".source";
    const auto get = [&](std::string_view key) { return vm::value_of(device.source, key); };
    if (type == "pty") check.only(source, device.source, {}, "type: pty");
    if (type == "file" || type == "dev") {
        check.only(source, device.source, {"path"}, "type: " + type);
        if (check.need(path, "source.path", get("path"), "the file on the host"))
            check.absolute_path(source + ".path", get("path"));
    }
    if (type == "unix") {
        check.only(source, device.source, {"path", "mode"}, "type: unix");
        if (check.need(path, "source.path", get("path"), "the socket on the host"))
            check.socket_path(source + ".path", get("path"), "path");
        check.one_of(source + ".mode", get("mode"), {"bind", "connect"});
    }
    if (type == "tcp") {
        check.only(source, device.source, {"host", "service", "mode"}, "type: tcp");
        check.need(path, "source.host", get("host"), "the address to listen on or to connect to");
        if (check.need(path, "source.service", get("service"), "the port"))
            check.number(source + ".service", get("service"), 1, 65535);
        check.one_of(source + ".mode", get("mode"), {"bind", "connect"});
    }
}

void check_ports(VmCheck& check, const std::vector<vm::CharacterDevice>& devices, const std::string& list, bool parallel) {
    std::set<long long> ports;
    if (!parallel) ports.insert(0);  // the console's own serial port
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const vm::CharacterDevice& device = devices[i];
        const std::string path = item_path(list, i);
        check.one_of(path + ".type", device.type, {"pty", "tcp", "file", "unix", "dev"});
        check_character_source(check, device, path, device.type.empty() ? "pty" : device.type);
        if (parallel)
            check.only(path + ".target", device.target, {"port"}, "a parallel port");
        else
            check.one_of(path + ".target.type", vm::value_of(device.target, "type"),
                         {"isa-serial", "usb-serial", "pci-serial", "spapr-vio-serial", "system-serial", "sclp-serial"});
        const auto port = check.number(path + ".target.port", vm::value_of(device.target, "port"), 0, 64);
        if (port && !ports.insert(*port).second)
            check.error(path + ".target.port", *port == 0 && !parallel
                                                   ? "port 0 is the console that every machine has; take 1 or leave it out"
                                                   : fmt::format("port {} is taken", *port));
    }
}

}  // namespace

void check_characters(VmCheck& check) {
    const vm::Devices& devices = check.spec.libvirt.devices;
    std::map<std::string, std::string> names;
    for (std::size_t i = 0; i < devices.channels.size(); ++i)
        check_channel(check, devices.channels[i], item_path("libvirt.devices.channels", i), names);
    check_ports(check, devices.serial, "libvirt.devices.serial", false);
    check_ports(check, devices.parallel, "libvirt.devices.parallel", true);
    for (std::size_t i = 0; i < devices.console.size(); ++i) {
        const vm::Console& console = devices.console[i];
        const std::string path = item_path("libvirt.devices.console", i);
        if (!console.type.empty() && console.type != "pty")
            check.error(path + ".type", fmt::format("expected pty, got '{}': a console here has no source", console.type));
        const std::string_view target = vm::value_of(console.target, "type");
        check.one_of(path + ".target.type", target, {"serial", "virtio", "sclp", "sclplm"});
        // libvirt: only the first console can be a serial port, and that one every machine has.
        if (target.empty() || target == "serial")
            check.error(path + ".target", "a further console needs target: {type: virtio}; the serial one is there already");
        check.number(path + ".target.port", vm::value_of(console.target, "port"), 0, 64);
    }
}

}  // namespace ov
