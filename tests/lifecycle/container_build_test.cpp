#include "lifecycle/container_build.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "support/golden.hpp"
#include "support/temp_tree.hpp"

using namespace ov;

namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += word + "\n";
    return text;
}

}  // namespace

TEST_CASE("the commands that build a bootc disk (vm-lifecycle.md 4.3)") {
    BootcDisk disk;
    disk.disk_bytes = 10ULL << 30U;
    test::check_golden("build/bootc-plain.sh", bootc_script(disk));
    disk.rootfs = "xfs";
    disk.root_bytes = (8ULL << 30U) + 1;
    disk.kernel_args = "console=ttyS0 quiet=$(touch /x)";
    test::check_golden("build/bootc-all.sh", bootc_script(disk));
    test::check_golden("build/podman-root.argv", joined(container_argv("quay.io/acme/os:1", "/cache/build-web", "", true)));
    test::check_golden("build/podman-user.argv",
                       joined(container_argv("quay.io/acme/os:1", "/cache/build-web", "/in put", false)));
}

TEST_CASE("the script is shell") {
    const ov::test::TempTree tree;
    BootcDisk disk;
    disk.kernel_args = "a='b c' d\"e";
    tree.write("script", bootc_script(disk));
    CHECK(std::system(("bash -n " + tree.path("script")).c_str()) == 0);
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
