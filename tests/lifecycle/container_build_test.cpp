#include "lifecycle/container_build.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/temp_tree.hpp"

using namespace ov;

namespace {

/// Compares with a file below tests/golden/build, or rewrites it.
void check_golden(const std::string& name, const std::string& text) {
    const char* data = std::getenv("OV_TEST_DATA");
    const std::string path = std::string(data != nullptr ? data : "tests") + "/golden/build/" + name;
    if (std::getenv("OV_UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string expected{std::istreambuf_iterator<char>(file), {}};
    CHECK(text == expected);
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += word + "\n";
    return text;
}

}  // namespace

TEST_CASE("the commands that build a bootc disk (vm-lifecycle.md 4.3)") {
    BootcDisk disk;
    disk.disk_bytes = 10ULL << 30U;
    check_golden("bootc-plain.sh", bootc_script(disk));
    disk.rootfs = "xfs";
    disk.root_bytes = (8ULL << 30U) + 1;
    disk.kernel_args = "console=ttyS0 quiet=$(touch /x)";
    check_golden("bootc-all.sh", bootc_script(disk));
    check_golden("podman-root.argv", joined(container_argv("quay.io/acme/os:1", "/cache/build-web", "", true)));
    check_golden("podman-user.argv", joined(container_argv("quay.io/acme/os:1", "/cache/build-web", "/in put", false)));
}

TEST_CASE("the script that makes a disk of a root file system (vm-lifecycle.md 4.4)") {
    for (const char* rootfs : {"ext4", "xfs", "btrfs"})
        check_golden(std::string("bootstrap-") + rootfs + ".sh", bootstrap_disk_script(4ULL << 30U, rootfs, "echo body"));
    CHECK_THROWS_AS(bootstrap_disk_script(1, "zfs", ""), Error);
}

TEST_CASE("scripts are shell") {
    const ov::test::TempTree tree;
    BootcDisk disk;
    disk.kernel_args = "a='b c' d\"e";
    for (const std::string& text : {bootc_script(disk), bootstrap_disk_script(1, "ext4", "true")}) {
        tree.write("script", text);
        CHECK(std::system(("bash -n " + tree.path("script")).c_str()) == 0);
    }
}

TEST_CASE("a bare image name is its newest dated build, never latest") {
    const char* images =
        "localhost/web:latest\nlocalhost/web:2026.9.800\nlocalhost/web:2026.144.1443\nlocalhost/web:2025.300.1\n"
        "localhost/webby:2026.200.1\nquay.io/x/web:2026.144.1442\nlocalhost/web:v1.2.3\nlocalhost/web:2026.144\n<none>:<none>\n";
    CHECK(newest_dated(images, "web") == "localhost/web:2026.144.1443");
    CHECK(newest_dated(images, "webby") == "localhost/webby:2026.200.1");
    CHECK(newest_dated(images, "eb").empty());
    CHECK(newest_dated("", "web").empty());
}
