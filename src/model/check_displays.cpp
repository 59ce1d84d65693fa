// `libvirt.devices.graphics`, `video`, `audio`, `sound` (`vm-spec.md` 9, 9.1, decisions 23, `libvirt-renderer.md` W13, W14).
#include <algorithm>
#include <set>

#include "model/vm_check.hpp"

namespace ov {

namespace {

void check_listeners(VmCheck& check, const vm::Graphics& graphics, const std::string& path) {
    for (const vm::Listener& listener : graphics.listen) {
        check.one_of(path + ".listen", listener.type, {"address", "socket", "network"});
        if (listener.type == "network" && listener.network.empty())
            check.error(path + ".listen", "a listener of type network needs network:, the libvirt network's name");
        if (listener.type == "socket") check.socket_path(path + ".listen", listener.socket, "socket");
    }
}

void check_graphics(VmCheck& check, const vm::Graphics& graphics, const std::string& path) {
    check.one_of(path + ".type", graphics.type, {"vnc", "spice", "rdp", "sdl", "egl-headless"});
    if (graphics.type.empty()) check.error(path, "the key type is missing: vnc, spice, rdp, sdl or egl-headless");
    check.flag(path + ".autoport", graphics.autoport);
    check.flag(path + ".gl", graphics.gl);
    check.in_range(path + ".port", graphics.port, -1, 65535);
    check_listeners(check, graphics, path);
    const bool remote = graphics.type == "vnc" || graphics.type == "spice";
    const std::string here = fmt::format("has no meaning for a display of type {}", graphics.type);
    if (!remote) {
        check.refuse(path + ".listen", !graphics.listen.empty(), here);
        check.refuse(path + ".passwd", !graphics.passwd.empty(), here);
        check.refuse(path + ".passwd_file", !graphics.passwd_file.empty(), here);
        check.refuse(path + ".keymap", !graphics.keymap.empty(), here);
    }
    if (graphics.type == "sdl" || graphics.type == "egl-headless") {
        check.refuse(path + ".port", graphics.port.has_value(), here);
        check.refuse(path + ".autoport", !graphics.autoport.empty(), here);
    }
    check.refuse(path + ".gl", graphics.type != "spice" && !graphics.gl.empty(), here + "; OpenGL is for spice");
    const bool only_sockets =
        std::all_of(graphics.listen.begin(), graphics.listen.end(), [](const vm::Listener& l) { return l.type == "socket"; });
    if (graphics.type == "spice" && vm::parse_flag(graphics.gl) == true && (graphics.listen.empty() || !only_sockets))
        check.error(path + ".gl", "OpenGL over spice is local only; write listen: {type: socket}");
    if (vm::parse_flag(graphics.autoport) == true && graphics.port.value_or(-1) > 0)
        check.error(path + ".port", "port and autoport: yes exclude each other");
    if (!graphics.passwd.empty() && !graphics.passwd_file.empty())
        check.error(path + ".passwd", "passwd and passwd_file exclude each other");
    if (!graphics.passwd.empty())
        check.warning(path + ".passwd", "a password in the project file is readable for everybody; use passwd_file");
    if (graphics.type == "vnc" && graphics.passwd.size() > 8)
        check.error(path + ".passwd", "a VNC password has at most 8 characters");
}

bool primary_only(std::string_view model) {
    return model == "vga" || model == "cirrus" || model == "bochs" || model == "ramfb";
}

void check_video(VmCheck& check, const vm::Video& video, const std::string& path) {
    if (check.need(path, "model", video.model, "virtio, vga, cirrus, qxl, bochs, ramfb or none"))
        check.one_of(path + ".model", video.model, {"virtio", "vga", "cirrus", "qxl", "bochs", "ramfb", "none"});
    const bool qxl = video.model == "qxl";
    const std::pair<std::string_view, const std::string*> sizes[] = {
        {"vram", &video.vram}, {"ram", &video.ram}, {"vram64", &video.vram64}, {"vgamem", &video.vgamem}};
    for (const auto& [key, value] : sizes) {
        const std::string at = fmt::format("{}.{}", path, key);
        check.size(at, *value, vm::SizeUnit::kib);
        if (!qxl && key != "vram") check.refuse(at, !value->empty(), "is for the model qxl only");
    }
    const bool no_memory = video.model == "none" || video.model == "ramfb" || video.model == "virtio";
    if (no_memory && !video.vram.empty())
        check.warning(path + ".vram", fmt::format("has no effect: the model {} has no memory of its own", video.model));
    constexpr std::uint64_t mib = 1U << 20U;
    const auto vram = vm::parse_size(video.vram, vm::SizeUnit::kib), vgamem = vm::parse_size(video.vgamem, vm::SizeUnit::kib);
    if (vram && *vram < mib && !no_memory) check.error(path + ".vram", fmt::format("expected at least 1M, got '{}'", video.vram));
    if (vgamem && (*vgamem < mib || (*vgamem & (*vgamem - 1)) != 0))
        check.error(path + ".vgamem", fmt::format("expected a power of two of at least 1M, got '{}'", video.vgamem));
    check.in_range(path + ".heads", video.heads, 0, 16);
    if (video.heads.value_or(0) > 1 && !qxl && video.model != "virtio")
        check.error(path + ".heads", fmt::format("the model {} has one head; use virtio", video.model));
    if (video.accel3d == true && video.model != "virtio") check.error(path + ".accel3d", "is for the model virtio only");
    if ((qxl || video.model == "cirrus") && check.firmware != FirmwareMode::bios)
        check.warning(path + ".model",
                      fmt::format("{} shows little before the system's own driver under UEFI; use virtio", video.model));
}

void check_videos(VmCheck& check) {
    const auto& videos = check.spec.libvirt.devices.video;
    std::size_t primary = 0;
    std::size_t flagged = 0;
    for (std::size_t i = 0; i < videos.size(); ++i) {
        const std::string path = item_path("libvirt.devices.video", i);
        check_video(check, videos[i], path);
        if (videos[i].primary == true && ++flagged > 1) check.error(path + ".primary", "there is already a primary video device");
        if (videos[i].primary == true && flagged == 1) primary = i;
        if (videos[i].model == "none" && videos.size() > 1)
            check.error(path + ".model", "none stands alone: it says that there is no video device");
    }
    for (std::size_t i = 0; i < videos.size(); ++i)
        if (i != primary && primary_only(videos[i].model))
            check.error(item_path("libvirt.devices.video", i) + ".model",
                        fmt::format("{} can be the primary device only; use virtio or qxl for a second one", videos[i].model));
}

void check_sounds(VmCheck& check) {
    const vm::Devices& devices = check.spec.libvirt.devices;
    std::set<long long> ids;
    for (std::size_t i = 0; i < devices.audio.size(); ++i) {
        const vm::Audio& audio = devices.audio[i];
        const std::string path = item_path("libvirt.devices.audio", i);
        if (check.need(path, "type", audio.type, "none, spice, pulseaudio, alsa, ..."))
            check.one_of(path + ".type", audio.type,
                         {"none", "spice", "oss", "pulse", "pulseaudio", "alsa", "coreaudio", "file", "jack"});
        if (audio.type == "spice" && !check.has_graphics("spice"))
            check.error(path + ".type", "spice audio needs a display: add {type: spice} to libvirt.devices.graphics");
        if (audio.type == "coreaudio") check.error(path + ".type", "coreaudio is for macOS hosts");
        check.in_range(path + ".id", audio.id, 0, 1'000'000);
        if (audio.id.value_or(0) > 0 && !ids.insert(*audio.id).second)
            check.error(path + ".id", fmt::format("the id {} is taken", *audio.id));
    }
    for (std::size_t i = 0; i < devices.sound.size(); ++i) {
        const std::string path = item_path("libvirt.devices.sound", i);
        if (check.need(path, "model", devices.sound[i].model, "ich9, ich6, ac97, usb or virtio"))
            check.one_of(path + ".model", devices.sound[i].model, {"ac97", "ich6", "ich9", "usb", "virtio"});
    }
}

}  // namespace

void check_displays(VmCheck& check) {
    const auto& all = check.spec.libvirt.devices.graphics;
    std::set<std::string> types;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string path = item_path("libvirt.devices.graphics", i);
        check_graphics(check, all[i], path);
        if (!all[i].type.empty() && !types.insert(all[i].type).second)
            check.error(path + ".type", fmt::format("there is already a display of type {}; QEMU has one of each", all[i].type));
    }
    check_videos(check);
    check_sounds(check);
}

}  // namespace ov
