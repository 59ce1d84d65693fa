#include <doctest/doctest.h>

#include "ov/compile.hpp"

namespace {

std::string tags(const ov::Distro& distro) {
    std::string text;
    for (const std::string& tag : distro.tags) text += (text.empty() ? "" : " ") + tag;
    return text + " / " + distro.format;
}

}  // namespace

TEST_CASE("layer-format 1 distro tags and package format follow os-release") {
    struct Row {
        const char *rule, *os_release, *tags;
    };
    const Row rows[] = {
        {"Ubuntu: ID_LIKE in order", "ID=ubuntu\nVERSION_ID=\"24.04\"\nID_LIKE=debian\n", "ubuntu:24.04 ubuntu debian / deb"},
        {"Debian", "PRETTY_NAME=\"Debian\"\nVERSION_ID=\"13\"\nID=debian\n", "debian:13 debian / deb"},
        {"Fedora", "ID=fedora\nVERSION_ID=43\n", "fedora:43 fedora / rpm"},
        {"Arch has no version", "ID=arch\nBUILD_ID=rolling\n", "arch / pac"},
        {"alias of ID", "ID='rocky'\nVERSION_ID='9.4'\nID_LIKE=\"rhel centos fedora\"\n",
         "rocky:9.4 rocky fedora rhel centos / rpm"},
        {"format from ID_LIKE", "ID=linuxmint\nVERSION_ID=\"22\"\nID_LIKE=\"ubuntu debian\"\n",
         "linuxmint:22 linuxmint ubuntu debian / deb"},
        {"comments and blank lines", "# ID=fedora\n\n   # x\nID=archarm\n", "archarm arch / pac"},
        {"no format", "ID=alpine\nVERSION_ID=3.20\n", "alpine:3.20 alpine / "},
        {"CachyOS", "ID=cachyos\nID_LIKE=arch\n", "cachyos arch / pac"},
        {"version without ID", "VERSION_ID=1\n", " / "},
        {"empty", "", " / "},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        CHECK(tags(ov::distro_from_os_release(row.os_release)) == row.tags);
    }
}

TEST_CASE("decision 65: a tag brings the relatives that os-release would name") {
    CHECK(tags(ov::distro_from_tag("ubuntu:24.04")) == "ubuntu:24.04 ubuntu debian / deb");
    CHECK(tags(ov::distro_from_tag("debian:13")) == "debian:13 debian / deb");
    CHECK(tags(ov::distro_from_tag("fedora")) == "fedora / rpm");
    CHECK(tags(ov::distro_from_tag("arch")) == "arch / pac");
    CHECK(tags(ov::distro_from_tag("rocky:9")) == "rocky:9 rocky fedora rhel centos / rpm");
}
