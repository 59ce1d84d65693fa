#include "guest/pod_devices.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace ov::guest {

namespace {

namespace fs = std::filesystem;

std::string first_word(const fs::path& path) {
    std::ifstream file(path);
    std::string word;
    file >> word;
    return word;
}

/// Names in a directory that start with `prefix`, sorted; none when there is no directory.
std::vector<std::string> names_in(const fs::path& directory, const std::string& prefix) {
    std::vector<std::string> names;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(directory, missing))
        if (entry.path().filename().string().starts_with(prefix)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

bool has_amd(const std::string& root) {
    for (const std::string& card : names_in(root + "/sys/class/drm", "card")) {
        std::error_code none;
        if (fs::read_symlink(root + "/sys/class/drm/" + card + "/device/driver", none).filename() == "amdgpu") return true;
    }
    return false;
}

std::string gfx_version(const std::string& root) {
    const std::string nodes = root + "/sys/class/kfd/kfd/topology/nodes";
    for (const std::string& node : names_in(nodes, "")) {
        std::ifstream properties(nodes + "/" + node + "/properties");
        std::string key;
        long value = 0;
        while (properties >> key >> value)
            if (key == "gfx_target_version" && value != 0)
                return std::to_string(value / 10000) + "." + std::to_string(value % 10000 / 100) + ".0";
    }
    return {};
}

/// A virtual card never wins over a real one.
std::string render_node(const std::string& root, const std::vector<std::string>& renders) {
    for (const std::string& name : renders) {
        const std::string vendor = first_word(root + "/sys/class/drm/" + name + "/device/vendor");
        if (vendor == "0x10de" || vendor == "0x1002" || vendor == "0x8086") return "/dev/dri/" + name;
    }
    return renders.empty() ? std::string() : "/dev/dri/" + renders.front();
}

}  // namespace

PodDevices find_devices(const std::string& root, bool nvidia_works) {
    PodDevices devices;
    const std::vector<std::string> renders = names_in(root + "/dev/dri", "renderD");
    for (const std::string& name : renders) devices.nodes.push_back("/dev/dri/" + name);
    for (const char* node :
         {"/dev/kfd", "/dev/kvm", "/dev/vhost-net", "/dev/vhost-vsock", "/dev/fuse", "/dev/net/tun", "/dev/hwrng"})
        if (fs::exists(root + node)) devices.nodes.emplace_back(node);
    devices.render_node = render_node(root, renders);
    devices.amd = has_amd(root);
    if (devices.amd) devices.amd_gfx_version = gfx_version(root);
    // Without a CDI specification the container would not start (W7); the VM's side makes one.
    devices.nvidia = nvidia_works && (fs::exists(root + "/etc/cdi/nvidia.yaml") || fs::exists(root + "/var/run/cdi/nvidia.yaml"));
    return devices;
}

}  // namespace ov::guest
