#include "render/qemu/devices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "render/devices/disk_defaults.hpp"
#include "render/path_template.hpp"
#include "render/qemu/comma.hpp"
#include "render/words.hpp"

namespace ov::render::qemu {

namespace {

constexpr std::string_view agent_name = "org.qemu.guest_agent.0";

/// The word of `if=`; empty for a bus that needs a controller of its own.
std::string interface_of(const std::string& bus) {
    if (bus == "virtio") return bus;
    return bus == "sata" || bus == "ide" ? "ide" : "";
}

void add_disk(Arguments& argv, const vm::Disk& disk, const std::string& bus) {
    const std::string file = text_of(disk.source, "file");
    const std::string interface = interface_of(bus);
    if (file.empty() || interface.empty() || !(disk.type.empty() || disk.type == "file")) return;
    std::string drive = fmt::format("file={},if={},format={}", doubled(file), interface, doubled(disk_format(disk)));
    if (disk.device == "cdrom") drive += ",media=cdrom";
    if (disk.readonly) drive += ",readonly=on";
    argv.add("-drive", drive);
}

}  // namespace

void add_disks(Arguments& argv, const Context& context) {
    const VmRuntime& runtime = context.runtime;
    if (!runtime.disk.empty())
        argv.add("-drive", fmt::format("file={},if=virtio,format={}", doubled(runtime.disk),
                                       doubled(or_else(runtime.disk_format, "qcow2"))));
    if (!runtime.seed_iso.empty()) argv.add("-cdrom", runtime.seed_iso);  // a plain path, no option list
    const std::vector<vm::Disk>& disks = context.devices().disks;
    const std::vector<DiskTarget> targets = disk_targets(disks);
    for (std::size_t i = 0; i < disks.size(); ++i) add_disk(argv, disks[i], targets[i].bus);
}

void add_rngs(Arguments& argv, const Context& context) {
    int index = 0;
    for (const vm::Rng& rng : context.devices().rng) {
        const int id = index++;
        if (rng.backend == "builtin")
            argv.add("-object", fmt::format("rng-builtin,id=rng{}", id));
        else
            argv.add("-object",
                     fmt::format("rng-random,id=rng{},filename={}", id, doubled(or_else(rng.backend, "/dev/urandom"))));
        std::string device = fmt::format("virtio-rng-pci,rng=rng{}", id);
        if (rng.rate.bytes) device += fmt::format(",max-bytes={}", *rng.rate.bytes);
        if (rng.rate.bytes && rng.rate.period) device += fmt::format(",period={}", *rng.rate.period);
        argv.add("-device", device);
    }
}

void add_memballoon(Arguments& argv, const Context& context) {
    const auto& balloon = context.devices().memballoon;
    if (!balloon || or_else(balloon->model, "virtio") != "virtio") return;
    const bool deflate = vm::on_off(balloon->autodeflate) == "on";
    argv.add("-device", deflate ? "virtio-balloon-pci,deflate-on-oom=on" : "virtio-balloon-pci");
}

void add_agent(Arguments& argv, const Context& context) {
    const auto& channels = context.devices().channels;
    const auto agent =
        std::find_if(channels.begin(), channels.end(), [](const vm::Channel& channel) { return channel.name == agent_name; });
    if (agent == channels.end()) return;
    const std::string path = expand_path(or_else(agent->socket(), "qga.sock"), context.runtime);
    argv.add("-chardev", fmt::format("socket,path={},server=on,wait=off,id=qga0", doubled(path)));
    argv.add("-device", "virtio-serial");
    argv.add("-device", fmt::format("virtserialport,chardev=qga0,name={}", agent_name));
}

}  // namespace ov::render::qemu
