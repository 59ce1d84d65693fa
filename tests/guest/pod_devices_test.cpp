// Devices of a pod on made-up machines.
#include "guest/pod_devices.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "support/temp_tree.hpp"

using ov::test::TempTree;

TEST_CASE("6 devices, the render node of a real card, AMD's version, NVIDIA with a CDI specification only") {
    const TempTree tree({{"dev/dri/renderD128", ""},
                         {"dev/dri/renderD129", ""},
                         {"dev/fuse", ""},
                         {"dev/kfd", ""},
                         {"sys/class/drm/renderD128/device/vendor", "0x1af4\n"},
                         {"sys/class/drm/renderD129/device/vendor", "0x1002\n"},
                         {"sys/class/drm/card0/device/x", ""},
                         {"sys/class/kfd/kfd/topology/nodes/0/properties", "cpu_cores_count 8\ngfx_target_version 0\n"},
                         {"sys/class/kfd/kfd/topology/nodes/1/properties", "simd_count 4\ngfx_target_version 100302\n"}});
    std::filesystem::create_symlink("../../../bus/pci/drivers/amdgpu", tree.path("sys/class/drm/card0/device/driver"));
    const ov::PodDevices devices = ov::guest::find_devices(tree.path(), true);
    CHECK(devices.nodes == std::vector<std::string>{"/dev/dri/renderD128", "/dev/dri/renderD129", "/dev/kfd", "/dev/fuse"});
    CHECK(devices.render_node == "/dev/dri/renderD129");
    CHECK(devices.amd);
    CHECK(devices.amd_gfx_version == "10.3.0");
    CHECK_FALSE(devices.nvidia);
    tree.write("etc/cdi/nvidia.yaml", "");
    CHECK(ov::guest::find_devices(tree.path(), true).nvidia);
    CHECK_FALSE(ov::guest::find_devices(tree.path(), false).nvidia);
}

TEST_CASE("6 a machine with a virtual card alone, and one with nothing") {
    const TempTree tree({{"dev/dri/renderD128", ""}, {"sys/class/drm/renderD128/device/vendor", "0x1af4\n"}});
    CHECK(ov::guest::find_devices(tree.path(), false).render_node == "/dev/dri/renderD128");
    const TempTree nothing;
    const ov::PodDevices none = ov::guest::find_devices(nothing.path(), false);
    CHECK(none.nodes.empty());
    CHECK(none.render_node.empty());
}
