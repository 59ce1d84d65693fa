// vm-spec.md 11.1, 13.1, W15, W19: what the host's files say.
#include "backend/host_files.hpp"

#include <doctest/doctest.h>

#include "support/temp_tree.hpp"

using ov::SubIdRange;
using ov::test::TempTree;

TEST_CASE("13.1 subordinate ids: the first good line of the user, by name or user id") {
    struct Row {
        const char *rule, *text;
        long long start, count;  ///< 0: none
    };
    const Row rows[] = {
        {"by name", "other:1:2\nkim:100000:65536\n", 100000, 65536},
        {"by user id", "1001:200000:65536\n", 200000, 65536},
        {"the first line wins", "kim:1:2\nkim:3:4\n", 1, 2},
        {"a bad line is skipped", "kim:x:2\nkim:5:6\n", 5, 6},
        {"four fields", "kim:1:2:3\n", 0, 0},
        {"two fields", "kim:1\n", 0, 0},
        {"count of 0", "kim:1:0\n", 0, 0},
        {"start of 0 (W19)", "kim:0:10\n", 0, 0},
        {"beyond 32 bits (W19)", "kim:4294967295:10\n", 0, 0},
        {"carriage returns (W19)", "kim:7:8\r\n", 7, 8},
        {"no line", "", 0, 0},
        {"a name that only begins so", "kimberly:1:2\n", 0, 0},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.rule));
        const auto range = ov::sub_ids_of(row.text, "kim", 1001);
        CHECK(range.value_or(SubIdRange{}) == SubIdRange{row.start, row.count});
    }
}

TEST_CASE("the CPU: vendor and whether it can virtualise") {
    const char* intel =
        "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vmx sse\n\nprocessor\t: 1\nvendor_id\t: Other\n";
    CHECK(ov::cpu_vendor_of(intel) == "GenuineIntel");
    CHECK(ov::has_virtualisation(intel));
    CHECK(ov::has_virtualisation("flags : fpu svm\n"));
    CHECK_FALSE(ov::has_virtualisation("flags : fpu svm_lock vmxx\n"));
    CHECK(ov::cpu_vendor_of("CPU implementer : 0x41\n") == "");
}

TEST_CASE("11.1 the distribution, then what it is like") {
    CHECK(ov::distro_ids_of("NAME=x\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n") ==
          std::vector<std::string>{"rocky", "rhel", "centos", "fedora"});
    CHECK(ov::distro_ids_of("ID='debian'\n") == std::vector<std::string>{"debian"});
    CHECK(ov::distro_ids_of("").empty());
}

namespace {

std::string descriptor(const std::string& code, const std::string& vars, const std::string& features,
                       const std::string& arch = "x86_64", const std::string& format = "raw") {
    return R"({"description": "d", "interface-types": ["uefi"], "mapping": {"device": "flash", "executable": {"filename": ")" +
           code + R"(", "format": ")" + format + R"("}, "nvram-template": {"filename": ")" + vars + R"(", "format": "raw"}},
"targets": [{"architecture": ")" +
           arch + R"(", "machines": ["pc-q35-*"]}], "features": [)" + features + "], \"tags\": []}";
}

}  // namespace

TEST_CASE("W15 firmware: descriptors in file order, then the table; only what exists; only this architecture") {
    TempTree root({
        {"etc/os-release", "ID=debian\n"},
        {"usr/share/qemu/firmware/60-plain.json", descriptor("/fw/CODE.fd", "/fw/VARS.fd", "\"acpi-s3\"")},
        {"usr/share/qemu/firmware/40-secure.json",
         descriptor("/fw/CODE.ms.fd", "/fw/VARS.ms.fd", "\"secure-boot\", \"enrolled-keys\", \"requires-smm\"", "x86_64",
                    "qcow2")},
        {"usr/share/qemu/firmware/50-gone.json", descriptor("/fw/GONE.fd", "/fw/VARS.fd", "")},
        {"usr/share/qemu/firmware/30-arm.json", descriptor("/fw/ARM.fd", "/fw/VARS.fd", "", "aarch64")},
        {"usr/share/qemu/firmware/20-hidden.json", descriptor("/fw/CODE.fd", "/fw/VARS.fd", "")},
        {"etc/qemu/firmware/20-hidden.json", ""},
        {"usr/share/qemu/firmware/10-broken.json", "{\"interface-types\": [\"uefi\"], \"targets\": 3"},
        {"usr/share/qemu/firmware/11-types.json",
         R"({"interface-types": ["uefi"], "targets": [{"architecture": "x86_64"}], "mapping": {"device": "flash", "executable": {"filename": 3}}})"},
        {"fw/CODE.fd", ""},
        {"fw/VARS.fd", ""},
        {"fw/CODE.ms.fd", ""},
        {"fw/VARS.ms.fd", ""},
        {"fw/ARM.fd", ""},
        {"usr/share/OVMF/OVMF_CODE_4M.fd", ""},
        {"usr/share/OVMF/OVMF_VARS_4M.fd", ""},
        {"usr/share/edk2/x64/OVMF_CODE.4m.fd", ""},
        {"usr/share/edk2/x64/OVMF_VARS.4m.fd", ""},
    });
    const auto images = ov::firmware_images(root.path(), "x86_64");
    REQUIRE(images.size() == 3);
    CHECK(images[0] == ov::FirmwareImage{"/fw/CODE.ms.fd", "/fw/VARS.ms.fd", "qcow2", true, true});
    CHECK(images[1] == ov::FirmwareImage{"/fw/CODE.fd", "/fw/VARS.fd", "raw", false, false});
    // Debian's row of the table, not Arch's.
    CHECK(images[2] ==
          ov::FirmwareImage{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", "raw", false, false});
    CHECK(ov::firmware_images(root.path(), "aarch64").size() == 1);
}

TEST_CASE("11.1 an unknown distribution: all rows; a derived one: those of its parent") {
    TempTree root({{"etc/os-release", "ID=mint\nID_LIKE=\"ubuntu debian\"\n"},
                   {"usr/share/OVMF/OVMF_CODE_4M.ms.fd", ""},
                   {"usr/share/OVMF/OVMF_VARS_4M.ms.fd", ""},
                   {"usr/share/edk2/x64/OVMF_CODE.4m.fd", ""},
                   {"usr/share/edk2/x64/OVMF_VARS.4m.fd", ""}});
    REQUIRE(ov::firmware_images(root.path(), "x86_64").size() == 1);
    CHECK(ov::firmware_images(root.path(), "x86_64")[0].enrolled);
    root.write("etc/os-release", "ID=own\n");
    CHECK(ov::firmware_images(root.path(), "x86_64").size() == 2);
}
